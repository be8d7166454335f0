// Positions and labels of ticks along a linear or logarithmic axis.
import type { Scale } from '../api/types.gen';
import { format } from './format';

export interface Tick {
  value: number;
  text: string;
}

/** The share 0..1 of the axis at which a value stands. */
export function along(scale: Scale, value: number): number {
  const { lo, hi } = scale;
  if (lo === hi) return 0.5;
  if (scale.kind === 'log') return (Math.log(value) - Math.log(lo)) / (Math.log(hi) - Math.log(lo));
  return (value - lo) / (hi - lo);
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
    out.push({ value: n * step, text: format('%.6g', n * step) });
  }
  return out;
}

function decades({ lo, hi }: Scale, about: number): Tick[] {
  const first = Math.ceil(Math.log10(lo) - 1e-9);
  const last = Math.floor(Math.log10(hi) + 1e-9);
  const every = Math.max(1, Math.ceil((last - first + 1) / about));
  const out: Tick[] = [];
  for (let e = first; e <= last; e += every) {
    const value = 10 ** e;
    out.push({ value, text: format('%.3g', value) });
  }
  return out;
}
