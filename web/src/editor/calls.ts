// Calls in a cell's source, and small edits of their arguments in place: what
// is not edited keeps its spelling, comments included.

export interface Arg {
  /** Empty for a positional one. */
  name: string;
  /** Where the argument begins, its name included, and the run of its value. */
  start: number;
  from: number;
  to: number;
  text: string;
}

export interface Call {
  /** From the name's first letter to behind the closing bracket. */
  from: number;
  to: number;
  args: Arg[];
}

/** Where the string or comment that begins at i ends; i itself when none does. */
function skip(source: string, i: number): number {
  const c = source[i]!;
  if (c === '#') {
    const end = source.indexOf('\n', i);
    return end < 0 ? source.length : end;
  }
  if (c !== '"' && c !== "'") return i;
  const quote = source.startsWith(c.repeat(3), i) ? c.repeat(3) : c;
  const raw = /[rR]$/.test(source.slice(Math.max(0, i - 2), i));
  for (let j = i + quote.length; j < source.length; j++) {
    if (source[j] === '\\' && !raw) j++;
    else if (source.startsWith(quote, j)) return j + quote.length;
    else if (quote.length === 1 && source[j] === '\n') return j;
  }
  return source.length;
}

/** The pieces between commas of a bracket that opens at open: [from, to] each, and where it closes; null when it does not. */
function pieces(source: string, open: number): { parts: [number, number][]; close: number } | null {
  const parts: [number, number][] = [];
  let depth = 0;
  let from = open + 1;
  for (let i = open; i < source.length; ) {
    const behind = skip(source, i);
    if (behind > i) {
      i = behind;
      continue;
    }
    const c = source[i]!;
    if ('([{'.includes(c)) depth++;
    else if (')]}'.includes(c)) depth--;
    if (depth === 0 || (depth === 1 && c === ',')) {
      const part = trim(source, from, i);
      if (part) parts.push(part);
      from = i + 1;
      if (depth === 0) return { parts, close: i };
    }
    i++;
  }
  return null;
}

/** A run without the white and the comments around it; null when nothing is left. */
function trim(source: string, from: number, to: number): [number, number] | null {
  let first = -1;
  let last = -1;
  for (let i = from; i < to; ) {
    const behind = skip(source, i);
    if (source[i] === '#') {
      i = behind;
      continue;
    }
    if (!/\s/.test(source[i]!)) {
      if (first < 0) first = i;
      last = Math.max(behind, i + 1);
    }
    i = Math.max(behind, i + 1);
  }
  return first < 0 ? null : [first, last];
}

/** Every call of a function of that name, in order; calls that do not close are left out. */
export function findCalls(source: string, name: string): Call[] {
  const calls: Call[] = [];
  for (let i = 0; i < source.length; ) {
    const behind = skip(source, i);
    if (behind > i) {
      i = behind;
      continue;
    }
    const word = /^[A-Za-z_]\w*/.exec(source.slice(i))?.[0];
    if (!word) {
      i++;
      continue;
    }
    const open = i + word.length + /^\s*/.exec(source.slice(i + word.length))![0].length;
    const found = word === name && source[i - 1] !== '.' && source[open] === '(' ? pieces(source, open) : null;
    if (found) calls.push({ from: i, to: found.close + 1, args: found.parts.map((p) => argOf(source, p)) });
    i += word.length;
  }
  return calls;
}

function argOf(source: string, [start, to]: [number, number]): Arg {
  const named = /^([A-Za-z_]\w*)\s*=(?!=)\s*/.exec(source.slice(start, to));
  const from = start + (named?.[0].length ?? 0);
  return { name: named?.[1] ?? '', start, from, to, text: source.slice(from, to) };
}

/** The elements of a list literal; null when the text is none. */
export function elements(text: string): string[] | null {
  if (!text.startsWith('[')) return null;
  const found = pieces(text, 0);
  return found && found.close === text.length - 1 ? found.parts.map(([from, to]) => text.slice(from, to)) : null;
}

/** A list literal with one more element, on a line of its own where the last one has one. */
export function addElement(list: string, item: string): string {
  const { parts, close } = pieces(list, 0)!;
  const last = parts.at(-1);
  if (!last) return `[${item}]`;
  const rest = list.slice(last[1], close);
  const eol = rest.lastIndexOf('\n');
  if (eol < 0) return `${list.slice(0, last[1])}, ${item}]`;
  const indent = /^\s*/.exec(list.slice(list.lastIndexOf('\n', last[0]) + 1))![0];
  const comma = rest.trimStart().startsWith(',') ? '' : ',';
  return `${list.slice(0, last[1])}${comma}${rest.slice(0, eol)}\n${indent}${item},${rest.slice(eol)}${list.slice(close)}`;
}

/** A list literal without one of its elements; of a line of its own, what stands behind it there goes, too. */
export function dropElement(list: string, at: number): string {
  const { parts, close } = pieces(list, 0)!;
  const [from, to] = parts[at]!;
  if (parts.length === 1) return '[]';
  const line = list.lastIndexOf('\n', from) + 1;
  const end = list.indexOf('\n', to);
  const alone = line > 0 && end >= 0 && list.slice(line, from).trim() === '' && (parts[at + 1]?.[0] ?? close) > end;
  if (alone) return list.slice(0, line) + list.slice(end + 1);
  const next = parts[at + 1];
  if (next) return list.slice(0, from) + list.slice(next[0]);
  return list.slice(0, parts[at - 1]![1]) + list.slice(to);
}

const LONGEST = 88;

/** Writes an argument of a call, in place of the one of that name or behind the others. */
export function setArg(source: string, call: Call, name: string, text: string): string {
  const old = call.args.find((a) => a.name === name);
  if (old) return source.slice(0, old.from) + text + source.slice(old.to);
  const last = call.args.at(-1);
  const at = last ? last.to : call.to - 1;
  return `${source.slice(0, at)}${last ? ', ' : ''}${name}=${text}${source.slice(at)}`;
}

/** Takes an argument out of a call. */
export function dropArg(source: string, call: Call, name: string): string {
  const i = call.args.findIndex((a) => a.name === name);
  if (i < 0) return source;
  const arg = call.args[i]!;
  const before = call.args[i - 1];
  const after = call.args[i + 1];
  if (before) return source.slice(0, before.to) + source.slice(arg.to);
  return source.slice(0, arg.start) + source.slice(after?.start ?? arg.to);
}

/** A list as an argument of a call: on one line where that is short, else a line an element. */
function writeList(source: string, call: Call, items: string[]): string {
  const line = source.lastIndexOf('\n', call.from - 1) + 1;
  const indent = /^\s*/.exec(source.slice(line))![0];
  const one = `[${items.join(', ')}]`;
  const others = call.args.filter((a) => a.name !== 'patches').reduce((n, a) => n + a.to - a.start + 2, 0);
  if (call.from - line + others + one.length + 20 <= LONGEST) return one;
  return `[\n${items.map((item) => `${indent}    ${item},\n`).join('')}${indent}]`;
}

/**
 * Adds patches to the only patch_lens call of a source, and shows the last of
 * them. Null when there is no such call, more than one, or its patches are no
 * list that is written out.
 */
export function addPatches(source: string, patches: string[]): string | null {
  const calls = findCalls(source, 'patch_lens');
  const call = calls[0];
  if (!call || calls.length > 1) return null;
  const old = call.args.find((a) => a.name === 'patches');
  const items = old ? elements(old.text) : [];
  if (!items || (!old && call.args.filter((a) => a.name === '').length > 3)) return null;
  const next = setArg(source, call, 'patches', writeList(source, call, [...items, ...patches]));
  return dropArg(next, findCalls(next, 'patch_lens')[0]!, 'show');
}

/** Chooses which tries the only patch_lens call of a source shows; of count tries the last one needs no argument. */
export function showTries(source: string, tries: number[], count: number): string | null {
  const calls = findCalls(source, 'patch_lens');
  const call = calls[0];
  if (!call || calls.length > 1) return null;
  if (tries.length === 1 && tries[0] === count - 1) return dropArg(source, call, 'show');
  return setArg(source, call, 'show', tries.length === 1 ? String(tries[0]) : `[${tries.join(', ')}]`);
}

/** True when two calls differ in nothing but what is patched and shown. */
export function sameRuns(a: Call, b: Call): boolean {
  const rest = (c: Call) =>
    c.args
      .filter((x) => x.name !== 'patches' && x.name !== 'show' && x.name !== 'metric')
      .map((x) => `${x.name}=${x.text}`)
      .join('\n');
  return rest(a) === rest(b);
}

/** The expression that a cell gives an analysis as its model; empty when it cannot be told. */
export function modelArg(source: string, analysis: string): string {
  return argText(source, analysis, 'm', 0);
}

/** The expression that a cell gives an analysis as its set of prompts, which stands behind the model; empty when it cannot be told. */
export function promptsArg(source: string, analysis: string): string {
  return argText(source, analysis, 'prompts', 1);
}

/** An argument by its name or its place, the same in all calls of a source. */
function argText(source: string, analysis: string, name: string, place: number): string {
  const found = new Set(
    findCalls(source, analysis).map((c) => (c.args.find((a) => a.name === name) ?? c.args.filter((a) => a.name === '')[place])?.text ?? ''),
  );
  const [text] = found;
  return found.size === 1 && text ? text : '';
}

/**
 * The name that the only call of an analysis in a source is given to, and the
 * source in which it has one: wanted where it stands alone in a line of the top
 * level. Null when there is no such call, more than one, or the call is part of
 * a longer expression.
 */
export function named(source: string, analysis: string, wanted: string): { name: string; source: string } | null {
  const calls = findCalls(source, analysis);
  const call = calls[0];
  if (!call || calls.length > 1) return null;
  const line = source.lastIndexOf('\n', call.from - 1) + 1;
  const behind = /^[^\n]*/.exec(source.slice(call.to))![0].trim();
  if ((behind !== '' && !behind.startsWith('#')) || depth(source, call.from) > 0) return null;
  const before = source.slice(line, call.from);
  const given = /^([A-Za-z_]\w*)\s*=\s*$/.exec(before)?.[1];
  if (given) return { name: given, source };
  return before === '' ? { name: wanted, source: `${source.slice(0, line)}${wanted} = ${source.slice(line)}` } : null;
}

/** How many brackets are open at a place that is in no string or comment. */
function depth(source: string, at: number): number {
  let open = 0;
  for (let i = 0; i < at; ) {
    const behind = skip(source, i);
    if (behind === i) {
      if ('([{'.includes(source[i]!)) open++;
      else if (')]}'.includes(source[i]!)) open--;
    }
    i = Math.max(behind, i + 1);
  }
  return open;
}
