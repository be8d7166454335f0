import { describe, expect, it } from 'vitest';
import { bandNames } from './rule';

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
