// The column of a notebook, and how far a cell may stand out of it so that a
// figure's grids stand abreast.
import type { Wish } from '../figures/painter';

/** How far a cell reaches beyond the column at each side, in CSS pixels. */
export interface Breakout {
  left: number;
  right: number;
}

/** The column's greatest width and its padding, as NotebookView has them. */
const COLUMN = 980;
const PADDING = { left: 10, right: 28 };
/** What stays free at the page's edges. */
const EDGE = { left: 4, right: 10 };
/** A cell's gutter, border and room for its frame, as Cell has them. */
const CELL = 64;

export class Columns {
  /** The width beside the panels. */
  page = $state(0);

  /** How far a cell breaks out for its figures; null where they fit, or would not fit the page either. */
  breakout(wishes: (Wish | null)[]): Breakout | null {
    const all = wishes.filter((w) => w !== null);
    if (all.length === 0 || this.page === 0) return null;
    const column = Math.min(COLUMN, this.page);
    const beside = (this.page - column) / 2;
    const free = { left: beside + PADDING.left - EDGE.left, right: beside + PADDING.right - EDGE.right };
    const inner = column - PADDING.left - PADDING.right - CELL;
    const most = inner + free.left + free.right;
    const wanted = Math.max(...all.filter((w) => w.least <= most).map((w) => w.full), 0);
    const extra = Math.min(wanted, most) - inner;
    if (extra <= 0) return null;
    const left = Math.min(free.left, extra / 2);
    return { left, right: extra - left };
  }
}
