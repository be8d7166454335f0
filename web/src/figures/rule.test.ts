import { describe, expect, it } from 'vitest';
import { canvas, view } from './canvas.fixture';
import { bandNames, bandTint, drawFrameRule } from './rule';

const measure = (text: string) => 6 * text.length;
const span = (label: string, from: number, to: number) => ({ label, from, to });

describe('the names of phases', () => {
  const inside = (names: { x: number; text: string }[], lo: number, hi: number) => {
    let edge = lo;
    for (const { x, text } of names) {
      expect(x - measure(text) / 2).toBeGreaterThanOrEqual(edge - 1e-9);
      edge = x + measure(text) / 2;
    }
    expect(edge).toBeLessThanOrEqual(hi + 1e-9);
  };

  it('stand over the middle where there is room', () => {
    expect(bandNames([span('one', 0, 100), span('two', 100, 300)], -50, 310, measure)).toMatchObject([{ x: 50, text: 'one' }, { x: 200, text: 'two' }]);
  });

  it('are moved apart and stay whole over narrow bands', () => {
    const names = bandNames([span('memorisation', 0, 44), span('circuit formation', 44, 165), span('cleanup', 165, 198)], -50, 270, measure);
    expect(names.map((n) => n.text)).toEqual(['memorisation', 'circuit formation', 'cleanup']);
    inside(names, -50, 270);
  });

  it('are pushed back from the end', () => {
    const names = bandNames([span('circuit formation', 100, 200), span('cleanup', 195, 205)], 0, 210, measure);
    expect(names.map((n) => n.text)).toEqual(['circuit formation', 'cleanup']);
    inside(names, 0, 210);
  });

  it('are cut to their bands where all together have no room', () => {
    const names = bandNames([span('memorisation', 0, 30), span('circuit formation', 30, 120)], 0, 100, measure);
    expect(names.every((n) => n.text.length > 3)).toBe(true);
    expect(names.at(-1)!.text).toMatch(/^circ.*…$/);
  });
});

it('tints the last phase brass, the one before it blue, the one before that not', () => {
  expect([0, 1, 2].map((i) => bandTint(i, 3))).toEqual([null, 'blue_bg', 'brass_bg']);
  expect([0, 1].map((i) => bandTint(i, 2))).toEqual(['blue_bg', 'brass_bg']);
});

describe('the numbers at the rule', () => {
  const plot = { x: 50, y: 10, w: 200, h: 100 };
  const numbers = (x: number, ys: number[], beside: number) => {
    const { ctx, only } = canvas();
    drawFrameRule(ctx, plot, x, ys.map((y, i) => ({ colour: '#000000', y, text: `v${i}` })), view(), measure, false, beside);
    return only('fillText').map((d) => ({ text: d.args[0], x: Number(d.args[1]), y: Number(d.args[2]) }));
  };

  it('stand behind it where the plot, and what is free beside it, has room, and before it else', () => {
    expect(numbers(100, [50], 0)[0]!.x).toBe(109.5);
    expect(numbers(250, [50], 40)[0]!.x).toBe(259.5);
    expect(numbers(250, [50], 0)[0]!.x).toBe(241.5);
  });

  it('are in the order of the curves, apart, and within the plot', () => {
    const at = numbers(100, [60, 20, 62, 61], 0);
    expect(at.map((n) => n.text)).toEqual(['v1', 'v0', 'v3', 'v2']);
    expect(at.map((n) => n.y)).toEqual([20, 60, 75, 90]);
    // Far above the others one has no part in how they are moved up from the foot.
    expect(numbers(100, [12, 100, 101, 105], 0).map((n) => n.y)).toEqual([17.5, 72.5, 87.5, 102.5]);
  });
});
