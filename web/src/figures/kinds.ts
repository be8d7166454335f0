// The kinds of figure that are drawn on a canvas, in one list.
import * as heatmap from './heatmap';
import * as lines from './lines';
import type { Layout, Painter } from './painter';
import * as tokens from './tokens';

// Each painter knows its own layout; the shell only hands it back.
const PAINTERS = { tokens, heatmap, lines } as unknown as Record<string, Painter<Layout>>;

/** The painter of a kind; undefined for a table, which is HTML. */
export function painterOf(kind: string): Painter<Layout> | undefined {
  return PAINTERS[kind];
}
