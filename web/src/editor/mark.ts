// Where an error stands in a cell's text: the word at its line and column.

/** A stretch of a text, in UTF-16 units; to is behind the last. */
export interface Span {
  from: number;
  to: number;
}

/**
 * The stretch to underline for an error at a line and a column, both from 1, the
 * column in characters: the name that stands there, behind a dot that stands there
 * or before the bracket of a call, else one character. Null when the text has no such line.
 */
export function errorSpan(text: string, line: number | undefined, column = 1): Span | null {
  if (!line) return null;
  const lines = text.split('\n');
  const own = lines[line - 1];
  if (own === undefined) return null;
  const start = lines.slice(0, line - 1).reduce((n, l) => n + l.length + 1, 0);
  const at = Math.min([...own].slice(0, Math.max(0, column - 1)).join('').length, Math.max(0, own.length - 1));
  const called = own[at] === '(' ? /[\p{L}\p{N}_]+$/u.exec(own.slice(0, at)) : null;
  if (called) return { from: start + called.index, to: start + at };
  const word = /^\.?[\p{L}\p{N}_]+/u.exec(own.slice(at));
  if (!word) return { from: start + at, to: start + Math.min(own.length, at + 1) };
  const from = word[0].startsWith('.') ? at + 1 : at;
  return { from: start + from, to: start + at + word[0].length };
}
