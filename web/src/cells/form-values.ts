// How what a reader chooses in a form is written in a cell, and what is wrong with
// it while it is typed.
import type { FormArg, ModelInfo, ParamInfo } from '../api/types.gen';

/** A text in quotes, as a cell writes it. */
export const quoted = (text: string): string => JSON.stringify(text);

/** The longest list on one line. */
const LONGEST = 80;

/** A list of expressions, as a cell writes it: on one line where that is short, else a line an element. */
export function bracketed(elements: readonly string[]): string {
  const one = `[${elements.join(', ')}]`;
  return one.length <= LONGEST ? one : `[\n${elements.map((e) => `    ${e},\n`).join('')}]`;
}

/** A list of texts, as a cell writes it. */
export const listed = (texts: readonly string[]): string => bracketed(texts.map(quoted));

/** The list that chips stand for; a single index needs no brackets. */
export function chipped(param: ParamInfo, chips: readonly string[]): string {
  if (param.type === 'strings') return listed(chips);
  if (chips.length === 0 && param.default === 'None') return '';
  return param.type === 'ints' && chips.length === 1 ? chips[0]! : bracketed(chips);
}

/** A text of several lines, as a cell writes it. */
export const block = (text: string): string => `"""\n${text.replaceAll('\\', '\\\\').replaceAll('"""', '\\"\\"\\"').trim()}\n"""`;

/** A number that was typed, as a cell writes it; null for what is none. */
export function numbered(text: string, whole: boolean): string | null {
  const t = text.trim();
  return (whole ? /^-?\d+$/ : /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i).test(t) ? t : null;
}

/** The text to send for a new value: none where it is the default, which then need not stand there. */
export function argument(param: ParamInfo, text: string): string {
  return !param.required && (text === param.default || `[${text}]` === param.default) ? '' : text;
}

/** What numbers a parameter takes, in words; empty for all. */
export function bounds(param: ParamInfo): string {
  const { min, max, above, most } = param;
  const of =
    min === undefined ? '' : max !== undefined ? (above ? `above ${min}, up to ${max}` : `${min} to ${max}`) : above ? `more than ${min}` : `${min} or more`;
  const each = of && (param.type === 'ints' || param.type === 'numbers' || param.type === 'strings') ? `${of} each` : of;
  return [each, most ? `${most} at most` : ''].filter(Boolean).join(', ');
}

/** A parameter as the model of its call bounds it: there are so many layers and heads. */
export function within(param: ParamInfo, model: Pick<ModelInfo, 'layers' | 'heads'> | undefined): ParamInfo {
  const count = param.index === 'layers' ? model?.layers : param.index === 'heads' ? model?.heads : undefined;
  return count ? { ...param, min: param.min ?? -count, max: count - 1 } : param;
}

/** Whether a parameter, or each of its list, is a number. */
export const isNumber = (param: ParamInfo): boolean => ['int', 'float', 'ints', 'numbers', 'value'].includes(param.type) || (param.type === 'strings' && param.index !== undefined);

/** What is wrong with a number that is typed for a parameter; empty for nothing. */
export function numberProblem(param: ParamInfo, text: string): string {
  const whole = param.type !== 'float' && param.type !== 'numbers' && param.type !== 'value';
  const value = numbered(text, whole);
  if (value === null) return `${text.trim()} is no ${whole ? 'whole number' : 'number'}`;
  const x = Number(value);
  const { min, max, above } = param;
  const low = min !== undefined && (x < min || (above === true && x === min));
  if (!low && !(max !== undefined && x > max)) return '';
  const how = max === undefined ? (above ? `not above ${min}` : `below ${min}`) : above ? `outside (${min}, ${max}]` : `outside ${min}..${max}`;
  return `${value} is ${how}; use ${bounds({ ...param, type: 'float', most: 0 })}`;
}

/** A range as a cell writes it. */
export const ranged = (from: string, below: string, step: string): string => (step === '1' ? `range(${from}, ${below})` : `range(${from}, ${below}, ${step})`);

/** What is wrong with the ends of a range of numbers without a sign; empty for nothing. */
export function rangeProblem(from: string, below: string, step: string): string {
  for (const text of [from, below, step]) if (numbered(text, true) === null) return text.trim() === '' ? 'three whole numbers are needed' : `${text} is no whole number`;
  const [a, b, s] = [Number(from), Number(below), Number(step)];
  if (a < 0) return `${a} is negative; use 0 or more`;
  if (s < 1) return `a step of ${s} is below 1; use 1, or 2 for every other number`;
  return a < b ? '' : `from ${a} to below ${b} there is no number`;
}

/** How many numbers a range has, and which, in words. */
export function rangeWords(from: string, below: string, step: string): string {
  const [a, b, s] = [Number(from), Number(below), Number(step)];
  const count = Math.ceil((b - a) / s);
  const last = a + (count - 1) * s;
  if (count === 1) return `1 number, ${a}`;
  return `${count} numbers, ${a}${s > 1 ? `, ${a + s}` : ''} to ${last}`;
}

export type RowsKind = 'lines' | 'pairs' | 'file';

const BAR = ' | ';

/** Rows as a reader edits them: a prompt a line, a pair a line, or the text of a file. */
export function rowsOf(arg: FormArg | null): { kind: RowsKind; text: string } {
  if (arg?.kind === 'string') return { kind: 'file', text: arg.text.trim() };
  const list = arg?.items ?? [];
  if (arg?.kind !== 'pairs') return { kind: 'lines', text: list.join('\n') };
  return { kind: 'pairs', text: list.flatMap((clean, i) => (i % 2 === 0 ? [clean + BAR + list[i + 1]] : [])).join('\n') };
}

/** Rows as a cell writes them, or what is wrong with them. */
export function rowsText(kind: RowsKind, text: string): { text: string } | { problem: string } {
  const lines = text.split('\n').map((l) => l.replace(/\r$/, '')).filter((l) => l.trim() !== '');
  if (lines.length === 0) return { problem: 'there are no rows' };
  if (kind === 'file') return { text: block(text) };
  if (kind === 'lines') return { text: listed(lines) };
  const rows: string[] = [];
  for (const [i, line] of lines.entries()) {
    const sides = line.split('|').map((side) => side.trim());
    if (sides.length !== 2 || sides.includes('')) return { problem: `row ${i + 1}, ${line.trim()}, is no pair; write clean | corrupted` };
    rows.push(`(${sides.map(quoted).join(', ')})`);
  }
  return { text: bracketed(rows) };
}
