// What every kind of drawn figure offers to the shell around it.
import type { TokenRole } from '../api/types.gen';
import type { Inks, Theme } from './colour';
import type { LiveFigure } from './live';

/** One cell of one panel; for lines, row is the series and col the x index. */
export interface Spot {
  panel: number;
  row: number;
  col: number;
}

/** A rectangle in CSS pixels of the figure. */
export interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

/** The size that a figure takes at a given width. */
export interface Layout {
  width: number;
  height: number;
}

/** Width of a text in CSS pixels, in a CSS font. */
export type Measure = (text: string, font: string) => number;

/** The space that a figure is laid out in. */
export interface Room {
  width: number;
  measure: Measure;
  /** When set, the figure is a plate of this height: an axis, at most five labels, no values. */
  mini?: number;
  /** When set, the figure fills the screen and may be so tall. */
  tall?: number;
  /** The metric that a token grid shows; empty for its own. */
  show: string;
}

/** What changes from frame to frame. */
export interface View {
  theme: Theme;
  inks: Inks;
  show: string;
  spot: Spot | null;
  locked: boolean;
  /** The run of x in CSS pixels that is in view; what lies outside need not be drawn. */
  from: number;
  to: number;
  /** Milliseconds of performance.now(), for cells that fade in; Infinity for no fading. */
  now: number;
}

/** A cell in words: the hover card and the live region. */
export interface Reading {
  /** Where: "layer 3 · position 4". */
  title: string;
  /** The prompt's token at this place, when there is one. */
  token?: { text: string; role: TokenRole };
  /** What the value is, "probability", and the value as written. */
  label: string;
  value: string;
  /** Further lines, name and value. */
  facts: { name: string; value: string }[];
  /** The best tokens with their probabilities 0..1. */
  best: { text: string; share: number; value: string }[];
}

/** One kind of figure: pure functions of data and size. */
export interface Painter<L extends Layout> {
  layout(figure: LiveFigure, room: Room): L;
  /** Draws in CSS pixels; returns true while a cell is still fading in. */
  draw(ctx: CanvasRenderingContext2D, figure: LiveFigure, layout: L, view: View): boolean;
  hit(layout: L, x: number, y: number): Spot | null;
  /** The spot one step away; the first one when there is none yet. */
  step(layout: L, from: Spot | null, dx: number, dy: number): Spot;
  box(layout: L, spot: Spot): Box;
  read(figure: LiveFigure, spot: Spot, show: string): Reading;
}

/** The reading as one sentence for the live region. */
export function spoken(r: Reading): string {
  const token = r.token ? `, token ${r.token.text}` : '';
  const best = r.best.length > 0 ? `; best ${r.best.slice(0, 3).map((b) => `${b.text} ${b.value}`).join(', ')}` : '';
  return `${r.title}${token}: ${r.label} ${r.value}${best}`;
}

export const FONT = {
  ui: (px: number, weight = 400) => `${weight} ${px}px Inter, system-ui, sans-serif`,
  mono: (px: number, weight = 400) => `${weight} ${px}px "JetBrains Mono", ui-monospace, monospace`,
};

/** Cuts a text to a width, with an ellipsis where something is missing. */
export function fit(measure: Measure, text: string, font: string, width: number): string {
  if (measure(text, font) <= width) return text;
  const letters = [...text];
  for (let n = letters.length - 1; n > 0; n--) {
    const cut = letters.slice(0, n).join('') + '…';
    if (measure(cut, font) <= width) return cut;
  }
  return '';
}
