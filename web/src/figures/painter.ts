// What every kind of drawn figure offers to the shell around it.
import type { TokenRole } from '../api/types.gen';
import type { Inks, Theme } from './colour';
import type { FigureData } from './live';

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

/** What the reader chose in the figure's head; empty for the figure's own. */
export interface Choice {
  /** The metric of a token grid, the view of a scatter. */
  show: string;
  /** What colours the points of a scatter; the lens of a token grid. */
  colour: string;
}

/** How the reader has turned, moved and enlarged a scatter. */
export interface Pose {
  /** Degrees about the upright axis, and of the eye above the ground. */
  azimuth: number;
  elevation: number;
  /** How many times as large as at first. */
  zoom: number;
  /** How far a plane is moved, in shares of its width and height as at first. */
  x: number;
  y: number;
}

/** The space that a figure is laid out in. */
export interface Room {
  width: number;
  measure: Measure;
  /** When set, the figure is a plate of this height: an axis, at most five labels, no values. */
  mini?: number;
  /** When set, the figure fills the screen and may be so tall. */
  tall?: number;
  chosen: Choice;
  /** How the reader holds it; null as it is at first. */
  pose: Pose | null;
  /** True when the colour key stands elsewhere, once for several figures. */
  keyless?: boolean;
}

/** What changes from frame to frame. */
export interface View {
  theme: Theme;
  inks: Inks;
  chosen: Choice;
  spot: Spot | null;
  locked: boolean;
  /** The cell whose card stays beside another one. */
  pinned?: Spot | null;
  /** The run of x in CSS pixels that is in view; what lies outside need not be drawn. */
  from: number;
  to: number;
  /** Milliseconds of performance.now(), for cells that fade in; Infinity for no fading. */
  now: number;
  /** What the reader's hand holds: where it was lifted and where it is held, as far as that is in this figure. */
  lift?: { from: Spot | null; into: Spot | null; fits: boolean };
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
  /** The values of single pairs, or prompts, in the metric's own unit, behind the cell's mean. */
  pairs?: { values: number[]; mean: number; format: string; of: 'pair' | 'prompt' };
  /** How the cell's edited run is opened: which prompts, in words, which of several pairs, and the call for a model; and for the set of prompts of the figure's own call, where sets says so. */
  open?: { prompts: string; which: string; sets: boolean; call: (model: string, prompts: string) => string };
  /** The attention head that the cell is about: the pair that its card is of, and what else is to be said of it. */
  head?: { prompt: number; note: string };
  /** Where the cell's number stands, or those of its pairs: a name for it, and the figure's array. */
  value_of?: { name: string; array: string; note: string };
}

/** A width that a figure asks of the page beyond its column, in CSS pixels. */
export interface Wish {
  least: number;
  full: number;
}

/** One kind of figure: pure functions of data and size. */
export interface Painter<L extends Layout> {
  /** True when the layout depends on the numbers, as the ends of lines do. */
  readonly follows?: boolean;
  layout(figure: FigureData, room: Room): L;
  /** Draws in CSS pixels; returns true while a cell is still fading in. */
  draw(ctx: CanvasRenderingContext2D, figure: FigureData, layout: L, view: View): boolean;
  hit(layout: L, x: number, y: number): Spot | null;
  /** The spot one step away; the first one when there is none yet. */
  step(layout: L, from: Spot | null, dx: number, dy: number): Spot;
  box(layout: L, spot: Spot): Box;
  read(figure: FigureData, spot: Spot, chosen: Choice): Reading;
  /** Where the drawing ends at the right: a locked card stands beside it, never over it. */
  extent?(layout: L, figure: FigureData): number;
  /** The widths at which the figure stands abreast, if it would rather than stack: with the least room for its cells, and with all that they want. */
  wish?(figure: FigureData, measure: Measure): Wish | null;
  /** The pose at first, where a reader may turn or enlarge the figure; null where not. */
  rest?(figure: FigureData, chosen: Choice): Pose | null;
  /** The pose in which a spot is in view. */
  follow?(layout: L, pose: Pose, spot: Spot): Pose;
  /** The pose after a drag by so many CSS pixels. */
  drag?(layout: L, pose: Pose, dx: number, dy: number): Pose;
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
