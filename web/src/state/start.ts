// How an empty notebook begins.
import type * as api from '../api/types.gen';

interface Text {
  id: string;
  kind: api.CellKind;
  source: string;
}

/** True for a notebook in which nobody has written yet: a title at most, and empty cells. */
export function isBlank(cells: readonly Text[]): boolean {
  const written = cells.filter((c) => c.source.trim() !== '');
  return written.length === 0 || (written.length === 1 && written[0]!.kind === 'markdown' && /^#[^\n]*$/.test(written[0]!.source.trim()));
}

/** The edit that puts a first line into a blank notebook: into its empty code cell, or a new one at the end. */
export function firstLine(cells: readonly Text[], source: string): api.Op {
  const empty = cells.find((c) => c.kind === 'code' && c.source.trim() === '');
  if (empty) return { op: 'source', cell: empty.id, source };
  return { op: 'insert', index: cells.length, kind: 'code', source };
}
