// The sum of each row of a grid, as bars in its margin.
import { colourAt } from './colour';
import { cellBox, type Grid } from './grid';
import { BLANK, DONE, type Numbers } from './live';
import { FONT, type View } from './painter';

/** The margin's width in CSS pixels. */
export const SUMS = 76;

const LEFT = 14;

/** The sum of a row; undefined while a number of it is missing. */
function rowSum(g: Grid, { data, state }: Numbers, row: number): number | undefined {
  let sum = 0;
  for (let i = row * g.cols; i < (row + 1) * g.cols; i++) {
    const s = state?.[i] ?? DONE;
    if (s === BLANK) continue;
    if (s !== DONE || !Number.isFinite(data[i]!)) return undefined;
    sum += data[i]!;
  }
  return sum;
}

export function drawSums(ctx: CanvasRenderingContext2D, g: Grid, numbers: Numbers, view: View): void {
  const sums = Array.from({ length: g.rows }, (_, row) => rowSum(g, numbers, row));
  const known = sums.filter((s) => s !== undefined);
  const lo = Math.min(0, ...known);
  const hi = Math.max(0, ...known);
  const x = g.x + g.cols * g.pitchX + LEFT;
  const width = SUMS - LEFT - 10;
  const unit = hi > lo ? width / (hi - lo) : 0;
  const zero = x - lo * unit;
  sums.forEach((sum, row) => {
    if (sum === undefined) return;
    const b = cellBox(g, row, 0);
    const inset = Math.min(5, b.h / 4);
    ctx.fillStyle = colourAt('diverging', sum > 0 ? 0.875 : 0.125, view.theme);
    ctx.fillRect(Math.min(zero, zero + sum * unit), b.y + inset, Math.max(1, Math.abs(sum * unit)), b.h - 2 * inset);
  });
  const bottom = g.y + g.rows * g.pitchY;
  ctx.fillStyle = view.inks.edge;
  ctx.fillRect(Math.round(zero) - 0.5, g.y, 1, bottom - g.y - 2);
  ctx.font = FONT.ui(11);
  ctx.fillStyle = view.inks.mute;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  ctx.fillText('row sum', x + width / 2, bottom + 14.5);
}
