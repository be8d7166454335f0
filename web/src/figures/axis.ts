// Axes of grids: row labels, token chips or numbers below.
import type { Axis } from '../api/types.gen';
import { chipOf, tokenText } from './colour';
import { cellBox, columnsIn, type Grid } from './grid';
import { FONT, fit, type Measure, type View } from './painter';

const LABEL = FONT.ui(12);
const SMALL = FONT.ui(11);
const CHIP = FONT.mono(12.5);
const SMALL_CHIP = FONT.mono(11);

/** True when an axis is a prompt's tokens, which are drawn as chips. */
export function isPrompt(axis: Axis): boolean {
  return (axis.roles?.length ?? 0) > 0 || (axis.ids?.length ?? 0) > 0;
}

/** The label of an index, with spaces visible where it is a token. */
export function labelOf(axis: Axis, index: number): string {
  const label = axis.labels[index] ?? String(index);
  return isPrompt(axis) ? tokenText(label) : label;
}

/** Width that row labels need, the axis' name beside them included. */
export function gutterWidth(axis: Axis, measure: Measure, named: boolean): number {
  let widest = 0;
  for (const label of axis.labels) widest = Math.max(widest, measure(label, LABEL));
  return Math.ceil(Math.min(widest, 150)) + 10 + (named ? Math.ceil(measure(axis.name, SMALL)) + 12 : 0);
}

/** Every how many labels one is written so that none touch. */
function stride(count: number, pitch: number, needed: number, most: number): number {
  return Math.max(1, Math.ceil(needed / pitch), Math.ceil(count / most));
}

/** Row labels at the left of a grid; the axis' name stands before the top one. */
export function drawRows(
  ctx: CanvasRenderingContext2D,
  g: Grid,
  axis: Axis,
  view: View,
  measure: Measure,
  most = Infinity,
): void {
  ctx.font = LABEL;
  ctx.fillStyle = view.inks.soft;
  ctx.textAlign = 'right';
  ctx.textBaseline = 'middle';
  const every = stride(g.rows, g.pitchY, 14, most);
  for (let row = g.rows - 1; row >= 0; row -= every) {
    const b = cellBox(g, row, 0);
    ctx.fillText(fit(measure, axis.labels[row] ?? '', LABEL, 150), g.x - 10, b.y + b.h / 2 + 0.5);
  }
  if (most !== Infinity) return;
  ctx.font = SMALL;
  ctx.fillStyle = view.inks.mute;
  ctx.textAlign = 'left';
  const widest = Math.max(...axis.labels.map((l) => measure(l, LABEL)));
  const x = g.x - 10 - Math.min(widest, 150) - 12 - measure(axis.name, SMALL);
  if (x >= -1) ctx.fillText(axis.name, Math.max(0, x), cellBox(g, g.rows - 1, 0).y + g.pitchY / 2 - 1);
}

/** Below this width the name of the rows' axis is left out, so that the columns have room. */
export const NARROW = 420;

/** The narrowest column at which a prompt's chips can be read; a longer axis scrolls. */
export function chipPitch(axis: Axis, measure: Measure): number {
  const widest = Math.max(...axis.labels.map((_, i) => measure(labelOf(axis, i), CHIP)));
  return Math.min(76, Math.max(24, Math.ceil(widest) + 14));
}

/** Column labels below a grid: chips for a prompt's tokens, plain text otherwise. On a plate a BOS that is too wide is "BOS". */
export function drawColumns(
  ctx: CanvasRenderingContext2D,
  g: Grid,
  axis: Axis,
  view: View,
  measure: Measure,
  most = Infinity,
): void {
  const chips = isPrompt(axis) && most === Infinity;
  const font = isPrompt(axis) ? (most === Infinity ? CHIP : FONT.mono(11)) : LABEL;
  const written = (col: number, room: number) => (most !== Infinity && axis.roles?.[col] === 'bos' && measure(labelOf(axis, col), font) > room ? 'BOS' : labelOf(axis, col));
  const widest = chips ? 16 : Math.max(...axis.labels.map((_, col) => measure(written(col, g.pitchX - 4), font))) + 6;
  const every = chips && g.pitchX >= 16 ? 1 : stride(g.cols, g.pitchX, Math.min(widest, 60), most);
  const middle = g.y + g.rows * g.pitchY + 14;
  ctx.font = font;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  const [first, end] = columnsIn(g, view.from - 60, view.to + 60);
  for (let col = Math.ceil(first / every) * every; col < end; col += every) {
    const b = cellBox(g, 0, col);
    const x = b.x + b.w / 2;
    const room = g.pitchX * every - (chips ? 10 : 4);
    const label = written(col, room);
    // A chip that is a little too wide is written smaller before it is cut.
    const size = chips && measure(label, CHIP) > room ? SMALL_CHIP : font;
    ctx.font = size;
    const text = fit(measure, label, size, Math.max(room, 8));
    if (chips) drawChip(ctx, text, axis.roles?.[col] ?? '', x, middle, measure(text, size), view);
    else {
      ctx.fillStyle = view.inks.soft;
      ctx.fillText(text, x, middle + 0.5);
    }
  }
}

function drawChip(
  ctx: CanvasRenderingContext2D,
  text: string,
  role: Parameters<typeof chipOf>[0],
  x: number,
  y: number,
  width: number,
  view: View,
): void {
  const chip = chipOf(role, view.theme);
  const w = Math.max(width + 10, 18);
  ctx.beginPath();
  ctx.roundRect(Math.round(x - w / 2) + 0.5, y - 9.5, Math.round(w), 19, 5);
  ctx.fillStyle = chip.fill;
  ctx.fill();
  ctx.strokeStyle = chip.stroke;
  ctx.lineWidth = 1;
  ctx.setLineDash(chip.dash);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.fillStyle = chip.text;
  ctx.fillText(text, x, y + 0.5);
}
