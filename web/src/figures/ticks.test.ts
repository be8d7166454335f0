import { describe, expect, it } from 'vitest';
import type { Scale } from '../api/types.gen';
import { linear } from './figures.fixture';
import { breaksAtZero } from './plotaxes';
import { along, ticks } from './ticks';

const log = (lo: number, hi: number, more: Partial<Scale> = {}): Scale => ({ ...linear(lo, hi), kind: 'log', ...more });

describe('the share of an axis', () => {
  it.each<[string, Scale, number, number]>([
    ['the middle', linear(-2, 2), 0, 0.5],
    ['beyond the end', linear(0, 4), 5, 1.25],
    ['a decade of three', log(1, 1000), 10, 1 / 3],
    ['a reversed axis', { ...linear(0, 4), reverse: true }, 1, 0.75],
    ['a reversed logarithm, rank 1 on top', log(1, 1000, { reverse: true }), 1, 1],
    ['an axis of one value', linear(3, 3), 3, 0.5],
    ['an axis of one value, another', linear(3, 3), 7, 0.5],
  ])('%s', (_, scale, value, want) => {
    expect(along(scale, value)).toBeCloseTo(want, 12);
  });

  it('is no number where a logarithm is none', () => {
    expect(along(log(1, 10), -1)).toBeNaN();
    expect(along(log(1, 10), 0)).toBe(-Infinity);
  });
});

describe('ticks', () => {
  it.each<[string, Scale, number, string[]]>([
    ['hold both ends of a signed axis, and 0 without a sign', linear(-0.2, 0.2), 4, ['−0.2', '−0.1', '0', '0.1', '0.2']],
    ['hold ends that are round but for rounding', linear(0.1 + 0.2, 0.7 + 0.1), 5, ['0.3', '0.4', '0.5', '0.6', '0.7', '0.8']],
    ['stay within ends that are not round', linear(0.12, 0.79), 5, ['0.2', '0.4', '0.6']],
    ['are one on an axis of one value', linear(3, 3), 5, ['3']],
    ['write thousands apart, small ones in full', linear(0, 12_000), 3, ['0', '5,000', '10,000']],
    ['count in fives', linear(0, 25), 5, ['0', '5', '10', '15', '20', '25']],
    ['count in twos', linear(0, 9), 5, ['0', '2', '4', '6', '8']],
    ['are the decades of a logarithm', log(0.001, 10), 9, ['1e−3', '0.01', '0.1', '1', '10'].map((t) => t.replace('−', '-'))],
    ['hold a decade that is one but for rounding', log(0.1 ** 3, 10 ** 3 * (1 - 1e-12)), 9, ['1e-3', '0.01', '0.1', '1', '10', '100', '1,000']],
    ['leave out decades where there are many', log(1, 1e8), 3, ['1', '1,000', '1,000,000']],
    ['leave out none where as many are asked for', log(1, 100), 3, ['1', '10', '100']],
    ['write ten millions short', log(1e7, 1e8), 3, ['1e+7', '1e+8']],
  ])('%s', (_, scale, about, want) => {
    expect(ticks(scale, about).map((t) => t.text)).toEqual(want);
  });

  it('never have a value of −0', () => {
    expect(ticks(linear(-1, 1), 2).map((t) => Object.is(t.value, -0))).toEqual([false, false, false]);
  });
});

it('breaks an axis at 0 where it is a logarithm and 0 is among the values', () => {
  expect([breaksAtZero(log(1, 10), [0, 1]), breaksAtZero(log(1, 10), [1, 10]), breaksAtZero(linear(0, 10), [0, 1])]).toEqual([true, false, false]);
});
