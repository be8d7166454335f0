import { expect, it } from 'vitest';
import type { Figure, Item } from '../api/types.gen';
import { linked, onAxes } from './axes';
import { optionsOf, resolved, subtitleOf } from './choices';
import { linear, slider, wire } from './figures.fixture';
import * as painter from './lines';
import { LiveFigure, itemOf } from './live';
import { Kept, Memory } from './memory';
import { axisOf } from './slider';

const own = { show: '', colour: '' };
const lines = (title: string, views: [string, string, string][]): Item => ({
  kind: 'lines',
  title,
  subtitle: 'by step',
  lines: {
    x: 'steps', x_scale: views[0]![1], y_scale: views[0]![2], rule: true,
    series: [{ name: 'test', y: 'loss' }],
    views: views.map(([name, x_scale, y_scale]) => ({ name, label: name, help: '', x_scale, y_scale })),
  },
});
const items = [
  lines('Loss', [['loglog', 'log', 'down'], ['log', 'even', 'down'], ['linear', 'even', 'flat']]),
  lines('Share', [['loglog', 'log', 'flat'], ['linear', 'even', 'flat']]),
  { kind: 'table', title: 'none' } as Item,
];
const figure: Figure = {
  kind: 'multiples', title: '', subtitle: '', provenance: {}, multiples: { columns: 1, items },
  slider: slider(3, []),
  arrays: { steps: wire([0, 100, 10000]), loss: wire([10, 1, 0.01]) },
  scales: { log: { ...linear(10, 10000), kind: 'log' }, even: linear(0, 10000), down: { ...linear(0.01, 10), kind: 'log' }, flat: linear(0, 10) },
};
const live = new LiveFigure(figure);
const room = { width: 500, measure: (t: string) => 6 * t.length, chosen: own, pose: null };

it('offers the axes, the lines\' own first, and says which are shown', () => {
  expect(optionsOf(items[0]!).views.map((v) => v.name)).toEqual(['loglog', 'log', 'linear']);
  expect(resolved(items[0]!, own).show).toBe('loglog');
  expect(subtitleOf(items[0]!, { show: 'log', colour: '' })).toBe('by step, log');
});

it('places the same numbers on each pair of axes, step 0 at the end of a logarithmic one', () => {
  const at = (show: string) => {
    const { plot, xs, ys } = painter.layout(onAxes(itemOf(live, items[0]!), { show, colour: '' }), room);
    return { x: xs.map((x) => (x - plot.x) / plot.w), y: ys[0]!.map((y) => 1 - (y - plot.y) / plot.h) };
  };
  const near = (got: number[], want: number[]) => got.forEach((v, i) => expect(v).toBeCloseTo(want[i]!, 6));
  near(at('loglog').x, [0, 1 / 3, 1]);
  near(at('loglog').y, [1, 2 / 3, 0]);
  near(at('log').x, [0, 0.01, 1]);
  near(at('log').y, [1, 2 / 3, 0]);
  near(at('linear').x, [0, 0.01, 1]);
  near(at('linear').y, [1, 0.1, 0.001]);
});

it('keeps one axis of steps under one slider', () => {
  expect(linked(items, 0, 'linear')).toEqual([{ at: 1, show: 'linear' }]);
  expect(linked(items, 0, 'log')).toEqual([{ at: 1, show: 'linear' }]);
  expect(linked(items, 1, 'loglog')).toEqual([{ at: 0, show: 'loglog' }]);
  expect(linked(items, 2, 'loglog')).toEqual([]);
  expect(axisOf(live, figure.slider!, own, [own, own, own]).kind).toBe('log');
  expect(axisOf(live, figure.slider!, own, [{ show: 'log', colour: '' }, own, own]).kind).toBe('linear');
});

it('remembers the axes of a panel', () => {
  const held = new Map<string, string>();
  const store = { getItem: (k: string) => held.get(k) ?? null, setItem: (k: string, v: string) => void held.set(k, v) };
  new Kept(new Memory(store), 'figure').part('Loss').choose(items[0]!, { show: 'linear', colour: '' });
  const again = new Kept(new Memory(store), 'figure').part('Loss');
  expect(resolved(items[0]!, again.choiceOf(items[0]!)).show).toBe('linear');
});
