// Small figures of each kind for tests.
import { encodeFloats } from '../api/encode.fixture';
import type { Figure, Scale, Slider, WireArray } from '../api/types.gen';
import type { Choice, Room } from './painter';

export const measure = (text: string) => text.length * 7;
export const chosen: Choice = { show: '', colour: '' };
export const room = (width: number, more: Partial<Room> = {}): Room => ({ width, measure, chosen, pose: null, ...more });

export const linear = (lo: number, hi: number, label = 'v'): Scale => ({ kind: 'linear', lo, hi, label, format: '%.2f' });
export const wire = (numbers: number[], ...shape: number[]): WireArray => ({
  shape: shape.length > 0 ? shape : [numbers.length],
  axes: (shape.length > 0 ? shape : [numbers.length]).map(String),
  f32: encodeFloats(numbers),
});

const empty = { title: 'A figure', subtitle: '', provenance: {} };

/** Points of a helix; view "space" is it, view "plane" its first two coordinates. */
export function helix(n = 12): Figure {
  const turn = (i: number) => (2 * Math.PI * i) / 6;
  const all = Array.from({ length: n }, (_, i) => i);
  return {
    ...empty,
    kind: 'scatter',
    scatter: {
      views: [
        { name: 'space', label: 'helix', help: '', x: { values: 'x', scale: 's' }, y: { values: 'y', scale: 's' }, z: { values: 'z', scale: 'z' } },
        { name: 'plane', label: 'circle', help: 'from above', x: { values: 'x', scale: 's' }, y: { values: 'z', scale: 'z' } },
      ],
      colours: [
        { name: 'value', label: 'number', help: '', values: 'z', scale: 'c' },
        { name: 'digit', label: 'kind', help: '', values: 'odd', scale: 'k' },
      ],
      labels: 'names',
      paths: [{ name: 'numbers', order: 'order' }],
      turn: [20, 25],
    },
    arrays: {
      x: wire(all.map((i) => Math.cos(turn(i)))),
      y: wire(all.map((i) => Math.sin(turn(i)))),
      z: wire(all),
      odd: wire(all.map((i) => i % 2)),
      order: wire(all),
    },
    texts: { names: { shape: [n], values: all.map(String) }, kinds: { shape: [2], values: ['even', 'odd'] } },
    scales: {
      s: linear(-1.2, 1.2, 'cosine'),
      z: linear(0, n - 1, 'number'),
      c: { ...linear(0, n - 1), kind: 'sequential' },
      k: { ...linear(0, 1), kind: 'category', names: 'kinds' },
    },
  };
}

export function bars(values: number[], more: { errors?: number[]; stems?: boolean; marks?: number[]; second?: number[] } = {}): Figure {
  const arrays: Record<string, WireArray> = { y: wire(values) };
  if (more.errors) arrays['e'] = wire(more.errors);
  if (more.second) arrays['c'] = wire(more.second);
  return {
    ...empty,
    kind: 'bars',
    bars: {
      categories: { name: 'frequency', labels: values.map((_, i) => String(i + 1)) },
      series: [{ name: 'norm', y: 'y', errors: more.errors && 'e' }, ...(more.second ? [{ name: 'shuffled', y: 'c', control: true }] : [])],
      y_scale: 's',
      stems: more.stems,
      marks: more.marks,
    },
    arrays,
    scales: { s: linear(-2, 8) },
  };
}

/** Dials of whole periods with the numbers 0 to n-1 at their place. */
export function dials(periods: number[], n = 20): Figure {
  const arrays: Record<string, WireArray> = {};
  const all = Array.from({ length: n }, (_, i) => i);
  const items = periods.map((period) => {
    arrays[`x${period}`] = wire(all.map((v) => Math.cos((2 * Math.PI * v) / period)));
    arrays[`y${period}`] = wire(all.map((v) => Math.sin((2 * Math.PI * v) / period)));
    return { title: `T = ${period}`, period, x: `x${period}`, y: `y${period}`, labels: 'names' };
  });
  return { ...empty, kind: 'dials', dials: { items }, arrays, texts: { names: { shape: [n], values: all.map(String) } } };
}

export function slider(frames: number, arrays: string[], more: Partial<Slider> = {}): Slider {
  const labels = Array.from({ length: frames }, (_, i) => `step ${i}`);
  return { name: 'checkpoint', labels, values: 'steps', show: frames - 1, arrays, ...more };
}
