import { describe, expect, it } from 'vitest';
import { encodeFloats } from '../api/encode.fixture';
import type { Figure } from '../api/types.gen';
import { DONE, LiveFigure, PENDING } from './live';

const states = (...s: number[]) => btoa(String.fromCharCode(...s));

function figure(state?: string): Figure {
  return {
    kind: 'heatmap',
    title: 'Effect',
    subtitle: '',
    arrays: { v: { shape: [2, 2], axes: ['layer', 'position'], f32: encodeFloats([0, 0, 0, 7]), state } },
    texts: { t: { shape: [2], values: ['', ''] } },
    scales: { s: { kind: 'diverging', lo: -1, hi: 1, label: '', format: '' } },
    provenance: {},
  };
}

const pending = () => new LiveFigure(figure(states(0, 0, 2, 1)));

describe('a part', () => {
  it('fills numbers, texts and scales and calls the listener', () => {
    const live = pending();
    let calls = 0;
    const stop = live.subscribe(() => calls++);
    live.apply({
      arrays: [{ name: 'v', offset: 1, f32: encodeFloats([5]) }],
      texts: [{ name: 't', offset: 1, values: ['91'] }],
      scales: { s: { kind: 'diverging', lo: -5, hi: 5, label: '', format: '' } },
    });
    expect([...live.numbers('v').data]).toEqual([0, 5, 0, 7]);
    expect([...live.numbers('v').state!]).toEqual([PENDING, DONE, 2, DONE]);
    expect(live.text('t', 1)).toBe('91');
    expect(live.scale('s').hi).toBe(5);
    stop();
    live.apply({});
    expect(calls).toBe(1);
  });

  it('lets a number fade in once', () => {
    const live = pending();
    const run = { name: 'v', offset: 0, f32: encodeFloats([5]) };
    live.apply({ arrays: [run] }, 40);
    live.apply({ arrays: [run] }, 90);
    expect([...live.numbers('v').arrived!]).toEqual([40, 0, 0, 0]);
  });

  it.each([
    ['an unknown array', { arrays: [{ name: 'w', offset: 0, f32: encodeFloats([1]) }] }, /no array w/],
    ['numbers past the end', { arrays: [{ name: 'v', offset: 3, f32: encodeFloats([1, 2]) }] }, /do not fit/],
    ['an unknown text', { texts: [{ name: 'u', offset: 0, values: ['x'] }] }, /no text u/],
    ['strings past the end', { texts: [{ name: 't', offset: 2, values: ['x'] }] }, /do not fit/],
  ])('with %s changes nothing', (_, part, why) => {
    const live = pending();
    const good = { name: 'v', offset: 0, f32: encodeFloats([9]) };
    expect(() => live.apply({ ...part, arrays: [good, ...('arrays' in part ? part.arrays : [])] })).toThrow(why);
    expect(live.numbers('v').data[0]).toBe(0);
    expect(live.version).toBe(0);
  });
});

it('refuses an array that does not fill its shape', () => {
  const bad = figure();
  bad.arrays['v']!.shape = [3, 3];
  expect(() => new LiveFigure(bad)).toThrow(/needs 9 numbers, 4 given/);
});

it('lets only numbers fade in that were pending before', () => {
  const before = pending();
  before.apply({ arrays: [{ name: 'v', offset: 0, f32: encodeFloats([1]) }] }, 50);
  const after = new LiveFigure(figure(), before, 80);
  expect([...after.numbers('v').arrived!]).toEqual([50, 80, 0, 0]);
});
