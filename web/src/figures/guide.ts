// Guides: places on the x axis that curves are read at, each a dashed line with its
// label over the plot.
import type { Guide, Scale } from '../api/types.gen';
import type { Box, Measure, View } from './painter';
import { SMALL, acrossOf, segment } from './plotaxes';
import { bandNames } from './rule';

/** The room that the labels take over a plot. */
export const GUIDE_ROOM = 28;
/** How far a label may stand out over the plot at either end. */
const OUT = 12;

/** Lines from the axis to the top of the plot, with their labels apart from one another; a small plot has no labels. */
export function drawGuides(ctx: CanvasRenderingContext2D, plot: Box, guides: Guide[], xScale: Scale, view: View, measure: Measure, mini: boolean): void {
  const there = guides.map(({ x, label }) => ({ label, x: acrossOf(plot, xScale, x) })).filter(({ x }) => x >= plot.x - 0.5 && x <= plot.x + plot.w + 0.5);
  ctx.strokeStyle = view.inks.edge;
  ctx.lineWidth = 1;
  ctx.setLineDash([3, 3]);
  for (const { x } of there) segment(ctx, Math.round(x) + 0.5, plot.y, Math.round(x) + 0.5, plot.y + plot.h);
  ctx.setLineDash([]);
  if (mini) return;
  const names = bandNames(there.map(({ label, x }) => ({ label, from: x, to: x })), plot.x - OUT, plot.x + plot.w + OUT, measure);
  if (names.length < there.length) return;
  ctx.font = SMALL;
  ctx.fillStyle = view.inks.mute;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  names.forEach(({ x, text }, i) => {
    segment(ctx, Math.round(there[i]!.x) + 0.5, plot.y, x, plot.y - 8);
    ctx.fillText(text, x, plot.y - 15);
  });
}
