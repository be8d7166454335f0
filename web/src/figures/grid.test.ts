// What drawCells puts on the canvas, taken down by a canvas that only notes it.
import { beforeAll, expect, it } from 'vitest';
import type { Scale } from '../api/types.gen';
import { GLYPHS, colourOf, inks } from './colour';
import { cellBox, drawCells, type Grid } from './grid';
import { BLANK, DONE, PENDING, type Numbers } from './live';
import type { View } from './painter';

class Path {
  readonly boxes: number[][] = [];
  roundRect(...box: number[]): void {
    this.boxes.push(box.slice(0, 2));
  }
  rect(...box: number[]): void {
    this.boxes.push(box.slice(0, 2));
  }
}

beforeAll(() => {
  Object.assign(globalThis, { Path2D: Path });
});

const grid: Grid = { x: 0, y: 0, rows: 1, cols: 1, pitchX: 40, pitchY: 30 };
const scale: Scale = { kind: 'diverging', lo: -1, hi: 1, label: '', format: '%.2f' };
const view: View = { theme: 'light', inks: inks('light'), chosen: { show: '', colour: '' }, spot: null, locked: false, from: 0, to: 1000, now: Infinity };

/** Draws numbers and returns, a column, what was done at it: "fill #rrggbb", "hatch", words. */
function drawn(data: number[], state: number[] | null, label = '', arrived: number[] | null = null, now = Infinity): { at: string[][]; fading: boolean } {
  const at: string[][] = data.map(() => []);
  const column = (x: number) => Math.floor(x / grid.pitchX);
  const note = (path: unknown, what: string) => path instanceof Path && path.boxes.forEach(([x]) => at[column(x!)]!.push(what));
  const ctx = {
    fillStyle: '',
    strokeStyle: '',
    globalAlpha: 1,
    save: () => undefined,
    restore: () => undefined,
    beginPath: () => undefined,
    moveTo: () => undefined,
    lineTo: () => undefined,
    clip: (path: unknown) => note(path, 'hatch'),
    stroke: (path: unknown) => note(path, `stroke ${ctx.strokeStyle}`),
    fill: (path: unknown) => note(path, `fill ${ctx.fillStyle}`),
    fillText: (text: string, x: number) => at[column(x)]!.push(text),
  };
  const numbers: Numbers = {
    shape: [1, data.length],
    data: Float32Array.from(data),
    state: state && Uint8Array.from(state),
    arrived: arrived && Float64Array.from(arrived),
  };
  const fading = drawCells(ctx as unknown as CanvasRenderingContext2D, { ...grid, cols: data.length }, numbers, scale, { ...view, now }, (t) => t.length * 7, () => label);
  return { at, fading };
}

it('hatches what is not computed yet, and leaves out what cannot exist', () => {
  const { at } = drawn([0.5, 0, 0, 1], [DONE, PENDING, BLANK, DONE]);
  expect(at[0]).toEqual([`fill ${colourOf(scale, 0.5, 'light')}`]);
  expect(at[1]).toEqual([`stroke ${view.inks.line2}`, 'hatch']);
  expect(at[2]).toEqual([]);
  expect(at[3]).toEqual([`fill ${colourOf(scale, 1, 'light')}`]);
});

it('gives NaN and both infinities glyphs of their own, and no colour of the scale', () => {
  const { at } = drawn([NaN, Infinity, -Infinity], null, '0.5');
  expect(at.map((c) => c.at(-1))).toEqual([GLYPHS.nan, GLYPHS.inf, GLYPHS.neg_inf]);
  for (const cell of at) expect(cell.slice(0, 2)).toEqual([`fill ${view.inks.warn_bg}`, `stroke ${view.inks.warn}`]);
});

it('frames a value near zero, whose colour is the card', () => {
  const { at } = drawn([0, 1], null);
  expect(at[0]).toEqual([`fill ${view.inks.card}`, `stroke ${view.inks.line}`]);
  expect(at[1]).toHaveLength(1);
});

it('hatches under a cell while it fades in', () => {
  expect(drawn([1], [DONE], '', [1000], 1060)).toEqual({ at: [[`stroke ${view.inks.line2}`, 'hatch', `fill ${colourOf(scale, 1, 'light')}`]], fading: true });
  expect(drawn([1], [DONE], '', [1000], 1200)).toEqual({ at: [[`fill ${colourOf(scale, 1, 'light')}`]], fading: false });
});

it('puts row 0 at the bottom', () => {
  expect(cellBox({ ...grid, rows: 3 }, 0, 0).y).toBe(60);
});
