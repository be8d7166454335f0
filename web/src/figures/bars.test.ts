import { describe, expect, it } from 'vitest';
import type { Figure } from '../api/types.gen';
import * as bars from './bars';
import { thinned } from './bars-draw';
import { barColour, lineStyle } from './colour';
import { bars as figureOf, chosen, room, slider, wire } from './figures.fixture';
import { beside } from './legend';
import { LiveFigure } from './live';

const values = [4, -1, 8, 2];
const live = (more: Parameters<typeof figureOf>[1] = {}, change: (f: Figure) => void = () => undefined) => {
  const figure = figureOf(values, more);
  change(figure);
  return new LiveFigure(figure);
};

describe.each([
  ['bars', {}],
  ['stems', { stems: true }],
  ['bars beside a control', { second: [1, 1, 1, 1] }],
])('%s', (_, more) => {
  it.each([390, 900])('are hit where they are drawn at %d px', (width) => {
    const at = bars.layout(live(more), room(width));
    for (let row = 0; row < at.ys.length; row++) {
      for (let col = 0; col < 4; col++) {
        const b = bars.box(at, { panel: 0, row, col });
        expect(bars.hit(at, b.x + b.w / 2, b.y + b.h / 2)).toEqual({ panel: 0, row, col });
        expect(b.x).toBeGreaterThanOrEqual(at.plot.x);
        expect(b.x + b.w).toBeLessThanOrEqual(at.plot.x + at.plot.w);
      }
    }
    expect(bars.hit(at, 2, 20)).toBeNull();
  });

  it('walk by category and series', () => {
    const at = bars.layout(live(more), room(900));
    let spot = bars.step(at, null, 1, 0);
    for (let i = 0; i < 9; i++) spot = bars.step(at, spot, 1, -1);
    expect(spot).toEqual({ panel: 0, row: at.ys.length - 1, col: 3 });
  });
});

it('stand on zero, with heights as their values', () => {
  const at = bars.layout(live(), room(900));
  const [a, b, c] = at.bars[0]! as [bars.BarsLayout['plot'], bars.BarsLayout['plot'], bars.BarsLayout['plot']];
  expect(c.h / a.h).toBeCloseTo(2, 9);
  expect(b.y).toBeCloseTo(at.foot, 9);
  expect(a.y + a.h).toBeCloseTo(at.foot, 9);
  expect(at.foot).toBeCloseTo(at.plot.y + at.plot.h * 0.8, 9);
});

it('stand on the lower limit of a logarithm, which has no zero', () => {
  const log = live({}, (f) => {
    f.arrays['y'] = wire([1, 10, 100, 0]);
    f.scales!['s'] = { ...f.scales!['s']!, kind: 'log', lo: 1, hi: 100 };
  });
  const at = bars.layout(log, room(900));
  expect(at.foot).toBe(at.plot.y + at.plot.h);
  expect(at.bars[0]!.map((b) => Math.round(b.h))).toEqual([1, at.plot.h / 2, at.plot.h, 1]);
});

it('stand at the limit where they are beyond it, and the foot counts them', () => {
  const odd = live({}, (f) => {
    f.arrays['y'] = { ...wire([99, NaN, -99, 1]), state: btoa('\x01\x01\x01\x00') };
  });
  const at = bars.layout(odd, room(900));
  expect(at.ys[0]![0]).toBe(at.plot.y);
  expect(at.ys[0]![2]).toBe(at.plot.y + at.plot.h);
  expect(at.ys[0]![3]).toBeNaN();
  expect(at.notes.map((n) => n.text)).toEqual(['1 not yet computed', '1 not a number, or infinite', '2 beyond the limits']);
  expect(bars.read(odd, { panel: 0, row: 0, col: 3 }).value).toBe('not computed yet');
});

it('keep heights and the room below when the slider moves, and know their last value', () => {
  const moving = live({}, (f) => {
    f.slider = slider(2, ['y'], { show: 0 });
    f.arrays['steps'] = wire([0, 1]);
    f.arrays['y'] = wire([1, 1, 1, 1, 4, -1, 8, NaN], 2, 4);
  });
  const before = bars.layout(moving, room(900));
  expect(before.notes).toEqual([]);
  expect(bars.read(moving, { panel: 0, row: 0, col: 2 }).facts).toEqual([{ name: 'last checkpoint', value: '8.00' }]);
  moving.seek(1);
  const after = bars.layout(moving, room(900));
  expect(after.notes).toHaveLength(1);
  expect([after.height, after.plot, after.foot]).toEqual([before.height, before.plot, before.foot]);
});

it('are read with their error and the other series', () => {
  const reading = bars.read(live({ errors: [0.5, 0, 0, 0], second: [1, 2, 3, 4] }), { panel: 0, row: 0, col: 0 });
  expect([reading.title, reading.label, reading.value]).toEqual(['frequency 1', 'norm', '4.00']);
  expect(reading.facts).toEqual([
    { name: 'standard error', value: '0.50' },
    { name: 'shuffled', value: '1.00' },
  ]);
});

it('scroll where categories are many', () => {
  const many = new LiveFigure(figureOf(new Array<number>(200).fill(1), { stems: true }));
  const at = bars.layout(many, room(390));
  expect(at.slot).toBe(2.5);
  expect(at.width).toBeGreaterThan(500);
  expect(bars.layout(many, room(250, { mini: 200, chosen })).width).toBe(250);
});

it.each([
  [12, 40, 99, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
  [56, 8, 99, [0, 4, 9, 14, 19, 24, 29, 34, 39, 44, 49, 55]],
  [56, 3, 99, [0, 9, 19, 29, 39, 55]],
  [12, 40, 4, [0, 4, 11]],
])('labels %d numbers at %d px, %d at most, at round ones and the ends', (n, slot, most, want) => {
  const labels = Array.from({ length: n }, (_, i) => String(i + 1));
  expect(thinned(labels, labels.map((l) => l.length * 7), slot, most)).toEqual(want);
});

it('keeps the names beside lines within the plot, in their order and apart', () => {
  const plot = { x: 0, y: 10, w: 100, h: 100 };
  const names = beside([12, 105, 108, 110, 60].map((y, s) => ({ s, y })), plot).sort((a, b) => a.y - b.y);
  expect(names.map((n) => n.s)).toEqual([0, 4, 1, 2, 3]);
  expect(names.map((n) => n.y)).toEqual([12, 56, 74, 92, 110]);
});

it('leaves brass to the marks, and controls use up no colour', () => {
  const series = [{}, { control: true }, {}];
  expect(barColour(series, 2, 'light')).toBe('#a92f16');
  expect(barColour(series, 1, 'light')).toBe('#8f8b80');
  expect(lineStyle(series, 2, 'light')).toMatchObject({ colour: '#2456a6', mark: 'ring' });
});

it('gives rivals the colour of their kin, and dash and mark by their place', () => {
  const series = [{}, { kin: 'crude' as const }, { kin: 'near' as const }, { kin: 'crude' as const }];
  expect(series.map((_, i) => lineStyle(series, i, 'light').colour)).toEqual(['#8a6116', '#646b78', '#2456a6', '#646b78']);
  expect(new Set(series.map((_, i) => lineStyle(series, i, 'light').mark)).size).toBe(4);
});
