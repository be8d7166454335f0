import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Axis, Figure, Panel, Scale } from '../api/types.gen';
import { BoxPath, canvas, view } from './canvas.fixture';
import { colourAt, colourOf, inks } from './colour';
import { chosen, linear, room, wire } from './figures.fixture';
import * as heatmap from './heatmap';
import { cellBox } from './grid';
import { BLANK, DONE, LiveFigure, PENDING } from './live';

beforeEach(() => vi.stubGlobal('Path2D', BoxPath));

const axis = (name: string, n: number): Axis => ({ name, labels: Array.from({ length: n }, (_, i) => `${name}${i}`) });
const signed: Scale = { ...linear(-2, 2, 'effect'), kind: 'diverging', unit: 'nats' };

/** Panels of two layers by three positions. */
function grids(values: number[][], more: { scale?: Scale; state?: number[]; panel?: Partial<Panel> } = {}): LiveFigure {
  const panels = values.map((_, i) => ({ title: `p${i}`, rows: axis('layer', 2), columns: axis('at', 3), values: `v${i}`, ...more.panel }));
  const figure: Figure = {
    kind: 'heatmap',
    title: 'Effect',
    subtitle: '',
    provenance: {},
    heatmap: { panels, scale: 's' },
    arrays: Object.fromEntries(values.map((v, i) => [`v${i}`, { ...wire(v, 2, 3), state: more.state && btoa(String.fromCharCode(...more.state)) }])),
    scales: { s: more.scale ?? signed },
  };
  return new LiveFigure(figure);
}

function drawn(figure: LiveFigure, now = Infinity) {
  const paper = canvas();
  const at = heatmap.layout(figure, room(900));
  const fading = heatmap.draw(paper.ctx, figure, at, view({ now }));
  const cell = (row: number, col: number) => cellBox(at.grids[0]!, row, col);
  /** What was filled in a cell's box: its colours. */
  const fills = (row: number, col: number) => {
    const b = cell(row, col);
    return paper.only('fill').filter((d) => d.args[0] instanceof BoxPath && d.args[0].boxes.some((x) => x.x === b.x && x.y === b.y)).map((d) => d.fill);
  };
  return { ...paper, at, fading, cell, fills };
}

describe('cells', () => {
  it('are blue below zero, red above and the card at zero', () => {
    const { fills } = drawn(grids([[-2, 0, 2, -1, 0.5, 1]]));
    const [minus, zero, plus] = [0, 1, 2].map((col) => fills(0, col)[0]);
    expect([minus, zero, plus]).toEqual([colourAt('diverging', 0, 'light'), inks('light').card, colourAt('diverging', 1, 'light')]);
    expect(fills(1, 0)).toEqual([colourOf(signed, -1, 'light')]);
  });

  it('have their number where it is large, of either sign, and none near zero', () => {
    const { texts } = drawn(grids([[-2, 0.15, -0.15, 0.17, -0.17, 1]]));
    expect(texts().filter((t) => /\d\.\d\d/.test(t))).toEqual(['−2.00', '0.17', '−0.17', '1.00']);
  });

  it('are judged by the larger limit', () => {
    const lopsided: Scale = { ...linear(-2, 0.5), kind: 'sequential' };
    expect(drawn(grids([[0.1, 0.2, -0.1, -0.2, 0, -2]], { scale: lopsided })).texts().filter((t) => /\d\.\d\d/.test(t))).toEqual(['0.20', '−0.20', '−2.00']);
  });

  it('of a logarithm are judged by their place on it', () => {
    const ranks: Scale = { ...linear(1, 1000), kind: 'log', format: '%d' };
    expect(drawn(grids([[1, 2, 10, 30, 50, 1000]], { scale: ranks })).texts().filter((t) => /^[\d,]+$/.test(t)).slice(0, 5)).toEqual(['2', '10', '30', '50', '1000']);
  });

  it('that are no number have a glyph each, and those beyond the limits a notch on their side', () => {
    const { texts, only, cell } = drawn(grids([[NaN, Infinity, -Infinity, 3, -3, 0]]));
    expect(texts().slice(0, 5)).toEqual(['NaN', '∞', '−∞', '3.00', '−3.00']);
    const corners = only('lineTo').map((d) => [Number(d.args[0]), Number(d.args[1])]);
    const right = (row: number, col: number) => cell(row, col).x + cell(row, col).w - 1;
    const [above, below] = [cell(1, 0), cell(1, 1)];
    expect(corners).toEqual(expect.arrayContaining([[right(1, 0), above.y + 6], [right(1, 1), below.y + below.h - 6]]));
  });

  it('to come are hatched, those that cannot exist are left out, and a new one fades in', () => {
    const figure = grids([[1, 1, 1, 1, 1, 1]], { state: [PENDING, DONE, BLANK, DONE, DONE, DONE] });
    const { fills, drawn: all, cell, fading } = drawn(figure);
    const hatched = all.filter((d) => d.op === 'clip').flatMap((d) => (d.args[0] as BoxPath).boxes);
    expect(hatched.slice(0, 1)).toEqual([cell(0, 0)]);
    expect([fills(0, 0), fills(0, 2), fills(0, 1).length, fading]).toEqual([[], [], 1, false]);
    figure.apply({ arrays: [{ name: 'v0', offset: 0, f32: wire([1]).f32 }] }, 1000);
    expect(drawn(figure, 1060).fading).toBe(true);
    expect(drawn(figure, 1120).fading).toBe(false);
  });
});

it('says what a cell holds, with its unit, and what there is not', () => {
  const figure = grids([[-1, 0, 0, 0, 0, 0]], { state: [DONE, PENDING, BLANK, DONE, DONE, DONE] });
  const value = (col: number) => heatmap.read(figure, { panel: 0, row: 0, col }, chosen).value;
  expect([0, 1, 2].map(value)).toEqual(['−1.00 nats', 'not computed yet', 'does not exist']);
  expect(heatmap.read(figure, { panel: 0, row: 1, col: 2 }, chosen).title).toBe('layer layer1 · at at2');
});

it.each([900, 390])('names both axes at %d px, and nothing stands on the title', (width) => {
  const figure = grids([[0, 0, 0, 0, 0, 0]]);
  const at = heatmap.layout(figure, room(width));
  const { ctx, only } = canvas();
  heatmap.draw(ctx, figure, at, view());
  const word = (text: string) => only('fillText').find((d) => d.args[0] === text)!.args as [string, number, number];
  const [, , title] = word('p0');
  const [, , rows] = word('layer');
  expect(word('at')[2]).toBeGreaterThan(at.grids[0]!.y + 2 * at.grids[0]!.pitchY);
  expect(Math.abs(title - rows)).toBeGreaterThan(13);
  expect(title).toBeGreaterThan(5);
});

it('walks up to the next row, over the edge into the next panel at the same height, and back', () => {
  const at = heatmap.layout(grids([[0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]]), room(900));
  expect(heatmap.step(at, null, 0, 0)).toEqual({ panel: 0, row: 1, col: 0 });
  expect(heatmap.step(at, { panel: 0, row: 0, col: 1 }, 0, 1)).toEqual({ panel: 0, row: 1, col: 1 });
  expect(heatmap.step(at, { panel: 0, row: 1, col: 1 }, 0, -1)).toEqual({ panel: 0, row: 0, col: 1 });
  expect(heatmap.step(at, { panel: 0, row: 1, col: 2 }, 1, 0)).toEqual({ panel: 1, row: 1, col: 0 });
  expect(heatmap.step(at, { panel: 1, row: 1, col: 0 }, -1, 0)).toEqual({ panel: 0, row: 1, col: 2 });
  // Panels need not be alike.
  const unlike = { ...at, grids: [at.grids[0]!, { ...at.grids[1]!, rows: 1, cols: 5 }] };
  expect(heatmap.step(unlike, { panel: 0, row: 1, col: 2 }, 1, 0)).toEqual({ panel: 1, row: 0, col: 0 });
  expect(heatmap.step(unlike, { panel: 1, row: 0, col: 0 }, -1, 0)).toEqual({ panel: 0, row: 0, col: 2 });
});

describe('the sums of rows', () => {
  /** The bars: what is filled in the margin and is no axis. */
  function bars(values: number[], state?: number[]) {
    const { only, at } = drawn(grids([values], { state, panel: { sums: true } }));
    const g = at.grids[0]!;
    const inMargin = only('fillRect').filter((d) => Number(d.args[0]) >= g.x + 3 * g.pitchX && Number(d.args[1]) < g.y + 2 * g.pitchY);
    return inMargin.filter((d) => d.fill !== inks('light').edge).map((d) => ({ fill: d.fill, x: Number(d.args[0]), w: Number(d.args[2]) }));
  }
  const red = colourAt('diverging', 0.875, 'light');
  const blue = colourAt('diverging', 0.125, 'light');

  it('go right and red above zero, left and blue below, in one measure', () => {
    const [low, high] = bars([-1, -1, 0, 1, 2, 1]);
    expect([low!.fill, high!.fill]).toEqual([blue, red]);
    expect(high!.w / low!.w).toBeCloseTo(2, 9);
    expect(low!.x + low!.w).toBeCloseTo(high!.x, 9);
  });

  it('leave out what cannot exist, and a row of which a number is missing or none', () => {
    expect(bars([1, 1, 1, 1, 1, 1], [BLANK, DONE, DONE, PENDING, DONE, DONE])).toHaveLength(1);
    expect(bars([1, NaN, 1, 1, 1, 1])).toHaveLength(1);
    const [a, b] = bars([9, 1, 1, 1, 1, 2], [BLANK, DONE, DONE, DONE, DONE, DONE]);
    expect(b!.w / a!.w).toBeCloseTo(2, 9);
  });
});
