// A call as fields: which control suits an argument, and what it shows.
import type { FormArg, FormCall, ModelInfo, ParamInfo } from '../api/types.gen';
import { isNumber, numberProblem, quoted, within } from './form-values';

/**
 * What a field is edited with: one of its choices, boxes to check, a box, a number,
 * a text, one of the notebook's names, chips, the ends of a range, lines, forms of
 * its own, or an expression.
 */
export type Control = 'choice' | 'checks' | 'bool' | 'number' | 'text' | 'name' | 'chips' | 'range' | 'rows' | 'calls' | 'code';

export interface Field {
  param: ParamInfo;
  /** What the call gives; null where the default counts. */
  arg: FormArg | null;
  control: Control;
  /** True where the call's set of prompts holds already what is given here. */
  held: boolean;
}

/** What is known around a call: its model, and whether its set of prompts is one of pairs. */
export interface Around {
  model?: ModelInfo | undefined;
  pairs?: boolean;
}

/** The fields of a call: those that are given or required, and the others. */
export function fields(call: FormCall, { model, pairs = false }: Around = {}): { shown: Field[]; more: Field[] } {
  const made = call.args.some((a) => a.name === 'prompts' && a.kind !== 'none');
  // What a set of prompts holds cannot be given beside it.
  const held = (p: ParamInfo) => made && (p.chooses === 'prompts' || (p.chooses === 'pairs' && pairs));
  const open = call.params.filter((p) => !held(p) || call.args.some((a) => a.name === p.name));
  const all = open.map((param): Field => {
    const arg = call.args.find((a) => a.name === param.name) ?? null;
    return { param: within(param, model), arg, control: controlOf(param, arg), held: held(param) };
  });
  const shown = all.filter((f) => f.arg !== null || f.param.required);
  return { shown, more: all.filter((f) => !shown.includes(f)) };
}

/** The control of a parameter; what it could not show without changing it stays code. */
export function controlOf(param: ParamInfo, arg: FormArg | null): Control {
  const is = (...kinds: FormArg['kind'][]) => arg === null || arg.kind === 'none' || kinds.includes(arg.kind);
  const known = (items: readonly string[]) => items.every((i) => param.choices?.includes(i));
  const empty = arg?.kind === 'list' && arg.items?.length === 0;
  // A comment in a list would be lost.
  const bare = arg === null || !arg.text.includes('#');
  switch (param.type) {
    case 'choice':
      return is('string') ? 'choice' : 'code';
    case 'metric':
      return is('string') || /^[A-Za-z_]\w*$/.test(arg!.text) ? 'choice' : 'code';
    case 'strings':
      if (!param.choices) return is('list', 'string') && bare ? 'chips' : 'code';
      return is('list', 'string') && bare && known(itemsOf(arg) ?? []) ? 'checks' : 'code';
    case 'ints':
    case 'numbers':
      return (is('numbers', 'number') || empty) && bare ? 'chips' : 'code';
    case 'bool':
      return is('bool') ? 'bool' : 'code';
    case 'int':
    case 'float':
    case 'value':
      return is('number') ? 'number' : 'code';
    case 'string':
    case 'prompt':
      return is('string') && !arg?.text.includes('\n') ? 'text' : 'code';
    case 'model':
      return arg?.text.includes('\n') ? 'code' : 'name';
    case 'prompts':
      return arg?.kind === 'calls' ? 'calls' : arg?.text.includes('\n') ? 'code' : 'name';
    case 'patches':
    case 'edits':
      return is('calls') || empty ? 'calls' : 'code';
    case 'range':
      return is('range', 'numbers') && bare ? 'range' : 'code';
    case 'data':
      return 'code';
    case 'rows':
      // A bar parts the sides of a pair, a line the rows.
      if (arg?.items?.some((i) => /\n/.test(i) || (arg.kind === 'pairs' && i.includes('|')))) return 'code';
      return (is('list', 'pairs') && bare) || is('string') ? 'rows' : 'code';
  }
}

/** The text of a field's control. */
export function shownText(field: Field): string {
  const { arg, param, control } = field;
  if (control === 'code') return arg ? sourceText(arg) : '';
  if (arg && arg.kind !== 'none') return arg.text;
  const text = param.default ?? '';
  return text.startsWith('"') && (control === 'text' || control === 'choice') ? unquoted(text) : '';
}

/** An argument as a cell spells it. */
export const sourceText = (arg: FormArg): string => (arg.kind === 'string' ? quoted(arg.text) : arg.text);

/** What stands in an empty field: the default. */
export function placeholder(param: ParamInfo): string {
  const text = unquoted(param.default ?? '');
  return text === '' || text === 'None' ? '' : text;
}

/** What is wrong with what is given, by the call's set of prompts and its model; empty for nothing. */
export function given(field: Field): string {
  const { arg, param, held } = field;
  if (arg && arg.kind !== 'none' && held) return `prompts and ${param.name} both say which prompts to take; leave ${param.name} out`;
  if (!arg || !isNumber(param) || !['number', 'numbers', 'list'].includes(arg.kind)) return '';
  for (const text of arg.items ?? [arg.text]) {
    const wrong = numberProblem(param, text);
    if (wrong) return wrong;
  }
  return '';
}

function itemsOf(arg: FormArg | null): string[] | null {
  if (!arg || arg.kind === 'none') return null;
  return arg.items ?? [arg.text];
}

/** The elements of a list, those of the default where none is given. */
export function items(field: Field): string[] {
  const given = itemsOf(field.arg);
  if (given) return given;
  try {
    const list: unknown = JSON.parse(field.param.default ?? '[]');
    return Array.isArray(list) ? list.map(String) : [];
  } catch {
    return [];
  }
}

function unquoted(literal: string): string {
  if (!literal.startsWith('"')) return literal;
  try {
    return String(JSON.parse(literal));
  } catch {
    return literal;
  }
}
