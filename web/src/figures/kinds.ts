// The kinds of figure that are drawn on a canvas, in one list, and what of a
// figure a plate shows.
import * as bars from './bars';
import { draw as drawBars } from './bars-draw';
import * as dials from './dials';
import { draw as drawDials } from './dials-draw';
import * as heatmap from './heatmap';
import * as lines from './lines';
import { itemOf, type FigureData, type LiveFigure } from './live';
import type { Layout, Painter } from './painter';
import * as scatter from './scatter';
import { draw as drawScatter } from './scatter-draw';
import * as tokens from './tokens';

// Each painter knows its own layout; the shell only hands it back.
const PAINTERS = new Map(Object.entries({
  tokens,
  heatmap,
  lines,
  scatter: { ...scatter, draw: drawScatter },
  bars: { ...bars, draw: drawBars },
  dials: { ...dials, draw: drawDials },
} as unknown as Record<string, Painter<Layout>>));

/** The painter of a kind; undefined for a table and for multiples, which are HTML. */
export function painterOf(kind: string): Painter<Layout> | undefined {
  return PAINTERS.get(kind);
}

/** What a plate draws of a figure: itself, the first drawn item of multiples, nothing of a table. */
export function miniatureOf(live: LiveFigure): FigureData | null {
  if (painterOf(live.figure.kind)) return live;
  const item = live.figure.multiples?.items.find((i) => painterOf(i.kind));
  return item ? itemOf(live, item) : null;
}
