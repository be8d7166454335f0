// Positions and labels of ticks along a linear or logarithmic axis.
import type { Scale } from '../api/types.gen';
import { count, format } from './format';

export interface Tick {
  value: number;
  text: string;
}

/** The share 0..1 of the axis at which a value stands, from its high end where it is reversed. */
export function along(scale: Scale, value: number): number {
  const { lo, hi } = scale;
  if (lo === hi) return 0.5;
  const t = scale.kind === 'log' ? (Math.log(value) - Math.log(lo)) / (Math.log(hi) - Math.log(lo)) : (value - lo) / (hi - lo);
  return scale.reverse ? 1 - t : t;
}

/** Round ticks within the limits, about as many as asked for. */
export function ticks(scale: Scale, about: number): Tick[] {
  return scale.kind === 'log' ? decades(scale, about) : steps(scale, about);
}

function steps({ lo, hi }: Scale, about: number): Tick[] {
  if (!(hi > lo)) return [{ value: lo, text: format('%.3g', lo) }];
  const rough = (hi - lo) / Math.max(1, about);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((m) => m * power >= rough * 0.999)! * power;
  const out: Tick[] = [];
  for (let n = Math.ceil(lo / step - 1e-9); n * step <= hi + step * 1e-9; n++) {
    const value = n * step + 0; // never −0
    out.push({ value, text: counted(value) ? count(value) : format('%.6g', value) });
  }
  return out;
}

/** Whole numbers from a thousand to some millions are written with commas. */
function counted(value: number): boolean {
  return value >= 1000 && value < 1e7 && Number.isInteger(value);
}

function decades({ lo, hi }: Scale, about: number): Tick[] {
  const first = Math.ceil(Math.log10(lo) - 1e-9);
  const last = Math.floor(Math.log10(hi) + 1e-9);
  const every = Math.max(1, Math.ceil((last - first + 1) / about));
  const out: Tick[] = [];
  for (let e = first; e <= last; e += every) {
    const value = 10 ** e;
    out.push({ value, text: counted(value) ? count(value) : e <= -3 ? format('%.0e', value) : format('%.3g', value) });
  }
  return out;
}
