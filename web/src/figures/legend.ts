// The names of series: at the ends of their lines, or in rows below the plot.
import type { Series } from '../api/types.gen';
import { lineStyle } from './colour';
import { drawMark } from './marks';
import { FONT, fit, type Box, type Measure, type View } from './painter';
import { segment } from './plotaxes';

export const NAME = FONT.ui(12, 500);
export const LEGEND_ROW = 18;
/** What stands before a name: the line with its mark, or a bar's colour. */
const SAMPLE = 24;
const APART = 22;

/** A series' place in the legend, the left end of its sample. */
export interface Entry {
  s: number;
  x: number;
  y: number;
  /** The width that the name may take. */
  room: number;
}

/** Rows of names in a width, from x, y on. */
export function flow(names: string[], x: number, y: number, width: number, measure: Measure): Entry[] {
  const out: Entry[] = [];
  let at = 0;
  let row = 0;
  names.forEach((name, s) => {
    const wide = Math.min(width, SAMPLE + measure(name, NAME));
    if (at > 0 && at + wide > width) {
      at = 0;
      row++;
    }
    out.push({ s, x: x + at, y: y + row * LEGEND_ROW, room: width - SAMPLE });
    at += wide + APART;
  });
  return out;
}

/** The height of rows of names. */
export function flowHeight(names: string[], width: number, measure: Measure): number {
  const last = flow(names, 0, 0, width, measure).at(-1);
  return last ? last.y + LEGEND_ROW : 0;
}

/** Names beside heights, moved apart so that none touch and all lie within the plot. */
export function beside(heights: { s: number; y: number }[], plot: Box): Entry[] {
  const x = plot.x + plot.w + 12;
  const out = heights.map(({ s, y }) => ({ s, x, y, room: 400 })).sort((a, b) => a.y - b.y);
  for (let i = 1; i < out.length; i++) out[i]!.y = Math.max(out[i]!.y, out[i - 1]!.y + LEGEND_ROW);
  let foot = plot.y + plot.h;
  for (const entry of out.reverse()) {
    entry.y = Math.min(entry.y, foot);
    foot = entry.y - LEGEND_ROW;
  }
  return out;
}

/** Writes the names, each with a sample: a line with its mark, or what sample draws instead. */
export function drawNames(
  ctx: CanvasRenderingContext2D,
  series: readonly Pick<Series, 'name' | 'control' | 'kin'>[],
  entries: Entry[],
  view: View,
  measure: Measure,
  sample: (x: number, y: number, s: number) => void = (x, y, s) => drawLineSample(ctx, x, y, lineStyle(series, s, view.theme), view),
): void {
  for (const { s, x, y, room } of entries) {
    sample(x, y, s);
    ctx.font = NAME;
    ctx.textAlign = 'left';
    ctx.textBaseline = 'middle';
    ctx.fillStyle = series[s]!.control ? view.inks.soft : view.inks.ink;
    ctx.fillText(fit(measure, series[s]!.name, NAME, room), x + SAMPLE, y + 0.5);
  }
}

function drawLineSample(ctx: CanvasRenderingContext2D, x: number, y: number, { colour, dash, mark }: ReturnType<typeof lineStyle>, view: View): void {
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.75;
  ctx.setLineDash(dash);
  segment(ctx, x, y, x + 18, y);
  ctx.setLineDash([]);
  drawMark(ctx, x + 9, y, mark, colour, view);
}
