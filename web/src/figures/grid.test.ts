// What drawCells puts on the canvas, taken down by a canvas that only notes it.
import { beforeAll, expect, it } from 'vitest';
import type { Scale } from '../api/types.gen';
import { BoxPath, canvas, view as viewAt, type Stroke } from './canvas.fixture';
import { GLYPHS, colourOf } from './colour';
import { cellBox, drawCells, type Grid } from './grid';
import { BLANK, DONE, PENDING, type Numbers } from './live';

beforeAll(() => {
  Object.assign(globalThis, { Path2D: BoxPath });
});

const grid: Grid = { x: 0, y: 0, rows: 1, cols: 1, pitchX: 40, pitchY: 30 };
const scale: Scale = { kind: 'diverging', lo: -1, hi: 1, label: '', format: '%.2f' };
const view = viewAt();

/** Draws numbers and returns, a column, what was done at it: "fill #rrggbb", "hatch", words. */
function drawn(data: number[], state: number[] | null, label = '', arrived: number[] | null = null, now = Infinity, faded?: (i: number) => boolean): { at: string[][]; fading: boolean; strokes: Stroke[] } {
  const { ctx, drawn: strokes } = canvas();
  const numbers: Numbers = {
    shape: [1, data.length],
    data: Float32Array.from(data),
    state: state && Uint8Array.from(state),
    arrived: arrived && Float64Array.from(arrived),
  };
  const fading = drawCells(ctx, { ...grid, cols: data.length }, numbers, scale, { ...view, now }, (t) => t.length * 7, () => label, faded);
  const at: string[][] = data.map(() => []);
  const column = (x: number) => Math.floor(x / grid.pitchX);
  const words: Record<string, (d: Stroke) => string> = { clip: () => 'hatch', stroke: (d) => `stroke ${d.line}`, fill: (d) => `fill ${d.fill}` };
  for (const d of strokes) {
    const [what, x] = d.args;
    if (d.op === 'fillText') at[column(Number(x))]!.push(String(what));
    else if (what instanceof BoxPath) for (const box of what.boxes) at[column(box.x)]!.push(words[d.op]!(d));
  }
  return { at, fading, strokes };
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
  expect(drawn([1], [DONE], '', [1000], 1060)).toMatchObject({ at: [[`stroke ${view.inks.line2}`, 'hatch', `fill ${colourOf(scale, 1, 'light')}`]], fading: true });
  expect(drawn([1], [DONE], '', [1000], 1200)).toMatchObject({ at: [[`fill ${colourOf(scale, 1, 'light')}`]], fading: false });
});

it('pales a cell that only repeats another run, in its own colour, with a quieter text', () => {
  const { at, strokes } = drawn([1, 1], null, '91', null, Infinity, (i) => i === 1);
  expect(at).toEqual([[`fill ${colourOf(scale, 1, 'light')}`, '91'], [`fill ${colourOf(scale, 1, 'light')}`, '91']]);
  expect(strokes.filter((d) => d.op === 'fill').map((d) => d.alpha)).toEqual([1, 0.25]);
  expect(strokes.filter((d) => d.op === 'fillText').map((d) => [d.fill, d.alpha])).toEqual([['#ffffff', 1], [view.inks.soft, 1]]);
});

it('puts row 0 at the bottom', () => {
  expect(cellBox({ ...grid, rows: 3 }, 0, 0).y).toBe(60);
});
