import { describe, expect, it } from 'vitest';
import { endsOf, errorFacts } from './interval';

describe('intervals', () => {
  it('are those of Newcombe 1998, table I, for shares', () => {
    for (const [right, n, lo, hi] of [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ] as const) {
      const ends = endsOf({ kind: 'wilson', n, times: 1.959964 }, right / n, NaN);
      expect(ends[0]).toBeCloseTo(lo, 4);
      expect(ends[1]).toBeCloseTo(hi, 4);
    }
  });

  it('are multiples of the standard error for means, and one without an interval', () => {
    expect(endsOf({ kind: 't', n: 21, times: 2 }, 1, 0.5)).toEqual([0, 2]);
    expect(endsOf(undefined, 1, 0.5)).toEqual([0.5, 1.5]);
  });

  it('stand before the standard error in words', () => {
    expect(errorFacts({ kind: 't', n: 21, times: 2 }, 1, 0.5, '%.1f')).toEqual([
      { name: '95 % interval', value: '0.0 to 2.0' },
      { name: 'standard error', value: '0.5' },
    ]);
    expect(errorFacts(undefined, 1, 0.5, '%.1f')).toEqual([{ name: 'standard error', value: '0.5' }]);
  });
});
