// Axes of plots with positions: heights with their grid lines at the left,
// the base line with its ticks below. Lines, bars and scatters share them.
import type { Scale } from '../api/types.gen';
import { unitLabel } from './format';
import { FONT, fit, type Box, type Measure, type View } from './painter';
import { along, ticks } from './ticks';

export const SMALL = FONT.ui(11);

/** Where a value stands in a plot, from its foot. */
export function heightOf(plot: Box, scale: Scale, value: number): number {
  return plot.y + plot.h * (1 - along(scale, value));
}

/** Where a value stands in a plot, from its left. */
export function acrossOf(plot: Box, scale: Scale, value: number): number {
  return plot.x + plot.w * along(scale, value);
}

/** True of an axis that has no place for 0, which then stands at its lower end. */
export function breaksAtZero(scale: Scale, values: ArrayLike<number>): boolean {
  return scale.kind === 'log' && Array.prototype.includes.call(values, 0);
}

/** As acrossOf, 0 at the lower end of a log axis. */
export function acrossFromZero(plot: Box, scale: Scale, value: number): number {
  return acrossOf(plot, scale, scale.kind === 'log' && value === 0 ? scale.lo : value);
}

/** Two strokes through the base line: what lies between them and its lower end is no distance. */
export function drawBreak(ctx: CanvasRenderingContext2D, plot: Box, view: View): void {
  const foot = plot.y + plot.h + 0.5;
  ctx.strokeStyle = view.inks.edge;
  ctx.lineWidth = 1;
  for (const x of [plot.x + 12, plot.x + 17]) segment(ctx, x - 2, foot + 4, x + 2, foot - 4);
}

export function segment(ctx: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number): void {
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
}

/** Horizontal grid lines with their numbers, and the axis' name upright at the left. */
export function drawHeights(ctx: CanvasRenderingContext2D, plot: Box, scale: Scale, view: View, measure: Measure, mini: boolean): void {
  ctx.lineWidth = 1;
  ctx.font = SMALL;
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'right';
  for (const tick of ticks(scale, mini ? 3 : 5)) {
    const y = Math.round(heightOf(plot, scale, tick.value)) + 0.5;
    ctx.strokeStyle = view.inks.line;
    segment(ctx, plot.x, y, plot.x + plot.w, y);
    ctx.fillStyle = view.inks.soft;
    ctx.fillText(tick.text, plot.x - 8, y);
  }
  if (mini) return;
  ctx.save();
  ctx.fillStyle = view.inks.mute;
  ctx.textAlign = 'center';
  ctx.translate(plot.x - 49, plot.y + plot.h / 2);
  ctx.rotate(-Math.PI / 2);
  ctx.fillText(fit(measure, unitLabel(scale.label, scale.unit), SMALL, plot.h + 20), 0, 0);
  ctx.restore();
}

/** The base line with ticks, and the axis' name below them. */
export function drawBase(
  ctx: CanvasRenderingContext2D,
  plot: Box,
  marks: { x: number; text: string }[],
  name: string,
  view: View,
  measure: Measure,
  mini: boolean,
): void {
  const foot = plot.y + plot.h;
  ctx.lineWidth = 1;
  ctx.font = SMALL;
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'center';
  ctx.strokeStyle = view.inks.edge;
  segment(ctx, plot.x, foot + 0.5, plot.x + plot.w, foot + 0.5);
  ctx.fillStyle = view.inks.soft;
  for (const { x, text } of marks) {
    segment(ctx, x, foot, x, foot + 4);
    ctx.fillText(text, x, foot + 14);
  }
  if (mini) return;
  ctx.fillStyle = view.inks.mute;
  ctx.fillText(fit(measure, name, SMALL, plot.w + 40), plot.x + plot.w / 2, foot + 32);
}

/** The ticks of a scale along the base. */
export function baseTicks(plot: Box, scale: Scale, mini: boolean): { x: number; text: string }[] {
  const about = mini ? 4 : Math.max(2, Math.floor(plot.w / 60));
  return ticks(scale, about).map((t) => ({ x: acrossOf(plot, scale, t.value), text: t.text }));
}
