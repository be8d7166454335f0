import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Scale } from '../api/types.gen';
import { BoxPath, canvas, view } from './canvas.fixture';
import { colourOf, inks, rampAt } from './colour';
import { linear, measure } from './figures.fixture';
import { drawKey, keyHeight } from './key';
import { BLANK, DONE, PENDING, type Numbers } from './live';

beforeEach(() => vi.stubGlobal('Path2D', BoxPath));

const scale = (kind: Scale['kind'], lo: number, hi: number, more: Partial<Scale> = {}): Scale => ({ ...linear(lo, hi, 'effect'), kind, ...more });
const numbers = (data: number[], state?: number[]): Numbers => ({ shape: [data.length], data: Float32Array.from(data), state: state ? Uint8Array.from(state) : null, arrived: null });

function key(s: Scale, arrays: Numbers[], width = 900, names: string[] = []) {
  const paper = canvas();
  drawKey(paper.ctx, 10, 5, width, s, arrays, view(), measure, names);
  return paper;
}

const NAN = 'not a number, or infinite';
const BEYOND = 'beyond the limits';
const WAITS = 'not yet computed';
const EMPTY = 'blank: cannot exist';

describe('the signs under a grid', () => {
  const one = scale('sequential', 0, 1);
  it.each<[string, Numbers, string[]]>([
    ['nothing odd', numbers([0, 0.5, 1]), []],
    ['a number that is none', numbers([0.5, NaN]), [NAN]],
    ['an infinite one, which is not beyond the limits', numbers([Infinity, 0.5]), [NAN]],
    ['one above the limits', numbers([1.5]), [BEYOND]],
    ['one below them', numbers([-0.5]), [BEYOND]],
    ['one to come, whose number says nothing yet', numbers([NaN, 9], [PENDING, PENDING]), [WAITS]],
    ['one that cannot exist, likewise', numbers([NaN, 9], [BLANK, BLANK]), [EMPTY]],
    ['all of them, in order', numbers([0, NaN, 9, 0], [PENDING, DONE, DONE, BLANK]), [WAITS, NAN, BEYOND, EMPTY]],
  ])('say %s', (_, n, want) => {
    const said = key(one, [n]).texts().filter((t) => [NAN, BEYOND, WAITS, EMPTY].includes(t));
    expect(said).toEqual(want);
  });

  it('are looked for in every panel', () => {
    expect(key(one, [numbers([0.5]), numbers([NaN])]).texts()).toContain(NAN);
  });

  it('are drawn as the cells are: a warning, a notch', () => {
    const { drawn } = key(one, [numbers([NaN, 9])]);
    expect(drawn.filter((d) => d.op === 'stroke' && d.line === inks('light').warn)).toHaveLength(1);
    const boxes = drawn.filter((d) => d.op === 'roundRect');
    expect(boxes).toHaveLength(2);
  });
});

it('keeps room for what is still to come, so that nothing moves when it is there', () => {
  const narrow = 330;
  const coming = numbers([0.5, 0.5], [DONE, PENDING]);
  const there = numbers([0.5, 0.5], [DONE, DONE]);
  const s = scale('sequential', 0, 1);
  expect(keyHeight(s, [there], narrow, measure)).toBe(keyHeight(s, [coming], narrow, measure));
  expect(keyHeight(s, [numbers([0.5, 0.5])], narrow, measure)).toBeLessThan(keyHeight(s, [coming], narrow, measure));
});

describe('the bar', () => {
  const slices = (s: Scale) => key(s, [numbers([0])]).only('fillRect');

  it('has the limits at its ends and says what the middle is', () => {
    expect(key(scale('diverging', -3, 3), [numbers([0])]).texts().slice(0, 3)).toEqual(['−3', '+3 · centred at 0', 'effect']);
    expect(key(scale('log', 1, 1000), [numbers([1])]).texts().slice(0, 2)).toEqual(['1', '1,000 · log']);
    expect(key(scale('sequential', 0, 1, { unit: 'nats' }), [numbers([0])]).texts()).toEqual(['0', '1', 'effect, nats']);
  });

  it('goes from the low colour to the high one, with the card\'s colour in the middle of a signed one', () => {
    const s = scale('diverging', -3, 3);
    const drawn = slices(s);
    expect([drawn[0]!.fill, drawn.at(-1)!.fill]).toEqual([colourOf(s, -3, 'light'), colourOf(s, 3, 'light')]);
    const middle = drawn[Math.floor(drawn.length / 2)]!;
    expect(rampAt(s, 0.5, 'light')).toBe(inks('light').card);
    expect(middle.fill).toBe(rampAt(s, Math.floor(drawn.length / 2) / (drawn.length - 1), 'light'));
  });

  it('is turned round with its scale: the colour at an end is that of the limit beside it', () => {
    const s = scale('log', 1, 100, { reverse: true });
    const drawn = slices(s);
    expect([drawn[0]!.fill, drawn.at(-1)!.fill]).toEqual([colourOf(s, 1, 'light'), colourOf(s, 100, 'light')]);
  });

  it('is shortened to a narrow width, never below forty pixels', () => {
    const wide = (width: number) => key(scale('sequential', 0, 1), [numbers([0])], width).only('strokeRect')[0]!.args[2];
    expect([wide(900), wide(120), wide(20)]).toEqual([170, 94, 40]);
  });
});

it('has a swatch for each of few categories, by name or by number, and a bar for many', () => {
  const few = key(scale('category', 0, 2), [numbers([0])], 900, ['even', '', 'odd']);
  expect(few.texts()).toEqual(['effect', 'even', '1.00', 'odd']);
  expect(few.only('arc')).toHaveLength(3);
  expect(key(scale('category', 0, 12), [numbers([0])]).only('strokeRect')).toHaveLength(1);
});
