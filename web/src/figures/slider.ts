// The slider over frames: where each frame stands on the track, which frame a
// point or a key means, and the frame in words.
import type { Band, Scale, Slider } from '../api/types.gen';
import { axesOf } from './axes';
import { count, format } from './format';
import type { FigureData } from './live';
import type { Choice } from './painter';
import { breaksAtZero } from './plotaxes';
import { along, ticks } from './ticks';

/** The track in CSS pixels: frames, ticks with labels, bands. */
export interface Track {
  width: number;
  /** The x of each frame. */
  xs: number[];
  labels: { x: number; text: string }[];
  bands: { x: number; w: number; label: string }[];
}

/** Half of the handle, which stays on the track at both ends. */
export const END = 9;

/**
 * The axis of the track: as the curves with a rule have it, so that handle and
 * rule go alike; linear over the frames' values where there is no such curve.
 */
export function axisOf(data: FigureData, slider: Slider, chosen: Choice, panels: readonly Choice[]): Scale {
  const { lines, multiples } = data.figure;
  const curves = [{ lines, chosen }, ...(multiples?.items ?? []).map((item, i) => ({ lines: item.lines, chosen: panels[i] ?? chosen }))];
  const ruled = curves.find((c) => c.lines?.rule);
  if (ruled) return data.scale(axesOf(ruled.lines!, ruled.chosen).x_scale);
  const values = data.whole(slider.values).data;
  return { kind: 'linear', lo: values[0] ?? 0, hi: values.at(-1) ?? 1, label: slider.name, format: '%.0f' };
}

/** Where a value stands, from 0 to 1; what a logarithm does not reach stands at the left end. */
export function share(axis: Scale, value: number): number {
  const t = along(axis, value);
  return Number.isNaN(t) ? 0 : Math.min(1, Math.max(0, t));
}

/** A step as it is written, with thousands apart; small or broken numbers as the scale says. */
function stepText(value: number): string {
  return Number.isInteger(value) ? count(value) : format('%.3g', value);
}

export function track(slider: Slider, values: ArrayLike<number>, axis: Scale, width: number): Track {
  const place = (value: number) => END + share(axis, value) * (width - 2 * END);
  const xs = Array.from({ length: slider.labels.length }, (_, i) => place(values[i] ?? NaN));
  const marks = ticks(axis, Math.max(2, Math.floor(width / 90))).map((t) => t.value);
  const labels = (breaksAtZero(axis, values) ? [0, ...marks] : marks).map((v) => ({ x: place(v), text: stepText(v) }));
  const bands = (slider.bands ?? []).map((b) => ({ x: place(b.from), w: place(b.to) - place(b.from), label: b.label }));
  return { width, xs, labels, bands };
}

/** The frame nearest to an x of the track; of several at one place the last. */
export function frameAt({ xs }: Track, x: number): number {
  return xs.reduce((best, v, i) => (Math.abs(v - x) <= Math.abs(xs[best]! - x) ? i : best), 0);
}

/** The frame that a key goes to; null for a key that means nothing here. */
export function frameOfKey(key: string, shift: boolean, frame: number, frames: number): number | null {
  const by = shift ? 10 : 1;
  const to: Record<string, number> = {
    ArrowLeft: frame - by,
    ArrowDown: frame - by,
    ArrowRight: frame + by,
    ArrowUp: frame + by,
    PageDown: frame - 10,
    PageUp: frame + 10,
    Home: 0,
    End: frames - 1,
  };
  const next = to[key];
  return next === undefined ? null : Math.min(frames - 1, Math.max(0, next));
}

/** The phase that a value lies in; a band holds its beginning and not its end, the last one both. */
export function bandOf(bands: readonly Band[], value: number): string {
  return bands.findLast((b) => value >= b.from && value <= b.to)?.label ?? '';
}

/** The frame in words: "checkpoint 9,400, cleanup". */
export function inWords(slider: Slider, values: ArrayLike<number>, frame: number): string {
  const phase = bandOf(slider.bands ?? [], values[frame] ?? NaN);
  return `${slider.name} ${slider.labels[frame] ?? ''}${phase ? `, ${phase}` : ''}`;
}

/** Milliseconds between two frames while it plays: the whole run in about ten seconds, slower where motion is unwelcome. */
export function pace(frames: number, still: boolean): number {
  return still ? 1000 : Math.min(500, Math.max(50, 10_000 / Math.max(1, frames)));
}
