// The rule of a slider in a plot whose x is the slider's axis: its bands
// behind, the line at the present frame and the curves' values there.
import type { Scale, Slider } from '../api/types.gen';
import { FONT, fit, type Box, type Measure, type View } from './painter';
import { SMALL, acrossOf, segment } from './plotaxes';

const VALUE = FONT.mono(12, 500);

function within(plot: Box, x: number): number {
  return Number.isNaN(x) ? plot.x : Math.min(plot.x + plot.w, Math.max(plot.x, x));
}

/** How far a phase's name may stand out over the plot, to the left and to the right, and how far two stay apart. */
const OUT = { left: 50, right: 10 };
const APART = 8;

/** The phases behind the curves, named above the plot. */
export function drawBands(ctx: CanvasRenderingContext2D, plot: Box, slider: Slider, xScale: Scale, view: View, measure: Measure, named: boolean): void {
  const bands = slider.bands ?? [];
  const spans = bands.map((band) => ({
    label: band.label,
    from: within(plot, acrossOf(plot, xScale, band.from)),
    to: within(plot, acrossOf(plot, xScale, band.to)),
  }));
  spans.forEach(({ from, to }, i) => {
    const tint = bandTint(i, bands.length);
    if (!tint) return;
    ctx.fillStyle = view.inks[tint];
    ctx.fillRect(from, plot.y, to - from, plot.h);
  });
  if (!named) return;
  ctx.font = SMALL;
  ctx.fillStyle = view.inks.mute;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  for (const { x, text } of bandNames(spans, plot.x - OUT.left, plot.x + plot.w + OUT.right, measure)) ctx.fillText(text, x, plot.y - 9);
}

/** Where the names of stretches stand: over their middle, moved apart where they would touch, cut only where all together have no room. */
export function bandNames(spans: { label: string; from: number; to: number }[], lo: number, hi: number, measure: Measure): { x: number; text: string }[] {
  const names = spans.map(({ label, from, to }) => ({ text: label, x: (from + to) / 2, w: measure(label, SMALL) }));
  if (names.reduce((sum, n) => sum + n.w + APART, -APART) > hi - lo) {
    return names.map(({ x }, i) => ({ x, text: fit(measure, spans[i]!.label, SMALL, spans[i]!.to - spans[i]!.from - 6) })).filter((n) => n.text.length > 3);
  }
  let edge = lo;
  for (const n of names) {
    n.x = Math.max(n.x, edge + n.w / 2);
    edge = n.x + n.w / 2 + APART;
  }
  edge = hi;
  for (const n of names.toReversed()) {
    n.x = Math.min(n.x, edge - n.w / 2);
    edge = n.x - n.w / 2 - APART;
  }
  return names;
}

/** The last band is brass, the one before it blue, the one before that plain, and so on. */
export function bandTint(i: number, count: number): 'brass_bg' | 'blue_bg' | null {
  return (['brass_bg', 'blue_bg', null] as const)[(count - 1 - i) % 3]!;
}

/** A curve's value at the present frame. */
export interface Value {
  colour: string;
  y: number;
  text: string;
}

/** What the numbers at a rule need beside it. */
export function valueRoom(texts: string[], measure: Measure): number {
  return Math.ceil(Math.max(0, ...texts.map((t) => measure(t, VALUE)))) + 14;
}

/** The height of a number at the rule. */
const ROW = 15;

/** The numbers from the highest, moved apart where they would touch, and back into the plot from its foot. */
function spread(values: Value[], plot: Box): { v: Value; y: number }[] {
  const out = values.map((v) => ({ v, y: v.y })).sort((a, b) => a.y - b.y);
  out.forEach((o, i) => (o.y = Math.max(o.y, i > 0 ? out[i - 1]!.y + ROW : plot.y + ROW / 2)));
  let foot = plot.y + plot.h - ROW / 2;
  for (const o of out.toReversed()) {
    o.y = Math.min(o.y, foot);
    foot = o.y - ROW;
  }
  return out;
}

/**
 * The rule with a dot and a number for each curve; numbers stay apart and in
 * the plot. They stand after the rule, where the future is faint, if the plot
 * and so many pixels beside it have room for them, and before it otherwise.
 */
export function drawFrameRule(ctx: CanvasRenderingContext2D, plot: Box, x: number, values: Value[], view: View, measure: Measure, mini: boolean, beside: number): void {
  const at = Math.round(within(plot, x)) + 0.5;
  ctx.strokeStyle = view.inks.ink;
  ctx.lineWidth = 1;
  segment(ctx, at, plot.y, at, plot.y + plot.h);
  if (!mini) drawValues(ctx, plot, at, values, view, measure, beside);
  for (const { colour, y } of values) {
    ctx.beginPath();
    ctx.arc(at, y, 4, 0, 2 * Math.PI);
    ctx.fillStyle = colour;
    ctx.fill();
    ctx.strokeStyle = view.inks.card;
    ctx.lineWidth = 1.5;
    ctx.stroke();
  }
}

function drawValues(ctx: CanvasRenderingContext2D, plot: Box, at: number, values: Value[], view: View, measure: Measure, beside: number): void {
  const after = at + valueRoom(values.map((v) => v.text), measure) <= plot.x + plot.w + beside;
  ctx.font = VALUE;
  ctx.textBaseline = 'middle';
  ctx.textAlign = after ? 'left' : 'right';
  for (const { v, y } of spread(values, plot)) {
    const w = measure(v.text, VALUE);
    ctx.fillStyle = view.inks.card;
    ctx.beginPath();
    ctx.roundRect(after ? at + 6 : at - 12 - w, y - 8, w + 6, ROW, 3);
    ctx.fill();
    ctx.fillStyle = view.inks.ink;
    ctx.fillText(v.text, at + (after ? 9 : -9), y);
  }
}
