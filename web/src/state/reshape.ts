// What Jupyter's keys make of the texts of cells: two of one, one of two, a heading.
import type { CellKind } from '../api/types.gen';

/** The texts before and behind a caret, each without the blank lines at the cut. */
export function splitAt(text: string, caret: number): [string, string] {
  return [text.slice(0, caret).replace(/\s+$/, ''), text.slice(caret).replace(/^[ \t]*\n(?:[ \t]*\n)*/, '')];
}

/** Two texts as one of a kind: lines follow each other in code, paragraphs in Markdown. */
export function joined(first: string, second: string, kind: CellKind): string {
  if (first.trim() === '' || second.trim() === '') return first.trim() === '' ? second : first;
  return `${first.replace(/\s+$/, '')}${kind === 'code' ? '\n' : '\n\n'}${second}`;
}

/** A text whose first line is a heading of a level. */
export function headed(text: string, level: number): string {
  return `${'#'.repeat(level)} ${text.replace(/^\s*(?:#{1,6}(?:\s+|$))?/, '')}`;
}
