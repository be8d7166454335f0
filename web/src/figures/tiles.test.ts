import { describe, expect, it } from 'vitest';
import type { Figure } from '../api/types.gen';
import { colourOf, inks } from './colour';
import { linear, room, wire } from './figures.fixture';
import * as heatmap from './heatmap';
import { LiveFigure } from './live';
import { isTiles, pitchOf, pixel, pixelsOf } from './tiles';

const scale = { ...linear(0, 1), kind: 'sequential' as const };
const view = { theme: 'light' as const, inks: inks('light') };

function tiles(side: number, panels: number): LiveFigure {
  const axis = (name: string) => ({ name, labels: Array.from({ length: side }, (_, i) => String(i)) });
  const figure: Figure = {
    kind: 'heatmap',
    title: 'Neurons',
    subtitle: '',
    provenance: {},
    heatmap: { scale: 's', panels: Array.from({ length: panels }, (_, i) => ({ title: `neuron ${i}`, rows: axis('a'), columns: axis('b'), values: 'v' })) },
    arrays: { v: wire(new Array<number>(side * side).fill(0.5), side, side) },
    scales: { s: scale },
  };
  return new LiveFigure(figure);
}

describe.each([
  [916, 3, 3],
  [916, 6, 3],
  [600, 2, 2],
  [342, 6, 6],
  [342, 1, 1],
])('at %d px, %d grids', (width, panels, abreast) => {
  const at = heatmap.layout(tiles(113, panels), room(width));

  it('have a whole number of pixels a cell, two at least, and never shrink', () => {
    expect(at.tiles).toBe(true);
    for (const g of at.grids) {
      expect(Number.isInteger(g.pitchX) && Number.isInteger(g.x) && Number.isInteger(g.y)).toBe(true);
      expect(g.pitchX).toBe(g.pitchY);
      expect(g.pitchX).toBeGreaterThanOrEqual(2);
    }
  });

  it('stand abreast, and scroll sideways where they must', () => {
    const first = at.grids[0]!.y;
    expect(at.grids.filter((g) => g.y === first)).toHaveLength(abreast);
    for (const g of at.grids) expect(g.x + g.cols * g.pitchX).toBeLessThanOrEqual(at.width);
    expect(at.width > width).toBe(width < 400 && panels > 1);
  });

  it('are hit cell by cell', () => {
    const spot = { panel: panels - 1, row: 112, col: 57 };
    const b = heatmap.box(at, spot);
    expect(heatmap.hit(at, b.x + b.w / 2, b.y + b.h / 2)).toEqual(spot);
  });
});

it('stand one above another where abreast they would be too small to read', () => {
  const at = heatmap.layout(tiles(59, 2), room(400));
  expect(at.grids.map((g) => g.x)).toEqual([at.grids[0]!.x, at.grids[0]!.x]);
  expect(at.grids[0]!.pitchX).toBe(4);
  expect(heatmap.layout(tiles(59, 2), room(800)).grids[1]!.y).toBe(at.grids[0]!.y);
  // Three in a row as soon as each can be read, two and one before that.
  const rows = (width: number) => heatmap.layout(tiles(59, 3), room(width)).grids.map((g) => g.y === heatmap.layout(tiles(59, 3), room(width)).grids[0]!.y);
  expect(rows(838)).toEqual([true, true, true]);
  expect(rows(636)).toEqual([true, true, false]);
});

it('is for grids of very many cells only', () => {
  expect([isTiles(113, 113), isTiles(40, 40), isTiles(12, 300), isTiles(24, 24)]).toEqual([true, true, false, false]);
  expect(heatmap.layout(tiles(24, 1), room(900)).tiles).toBe(false);
});

it.each([
  [113, 452, 4],
  [113, 451, 3],
  [113, 100, 2],
  [50, 5000, 9],
])('%d cells in %d px are %d px each', (n, width, want) => {
  expect(pitchOf(n, n, width)).toBe(want);
});

it('is a plate', () => {
  const at = heatmap.layout(tiles(113, 3), room(250, { mini: 200 }));
  expect([at.width, at.height, at.grids.length, at.grids[0]!.pitchX]).toEqual([250, 200, 1, 1]);
});

describe('pixels', () => {
  it('are the bytes of a colour', () => {
    const bytes = new Uint8Array(Uint32Array.of(pixel('#102030')).buffer);
    expect([...bytes]).toEqual([0x10, 0x20, 0x30, 255]);
  });

  it('have row 0 at the bottom and the colours of cells, and tell what is no number', () => {
    const figure = tiles(2, 1);
    const numbers = figure.numbers('v');
    numbers.data.set([0, 1, NaN, 0.25]);
    const [topLeft, topRight, left, right] = pixelsOf(2, 2, numbers, scale, view) as unknown as [number, number, number, number];
    expect([left, right]).toEqual([0, 1].map((v) => pixel(colourOf(scale, v, 'light'))));
    expect(topRight).toBe(pixel(colourOf(scale, 0.25, 'light')));
    expect(topLeft).toBe(pixel(view.inks.warn));
  });

  it('leave out what is blank and hatch what is to come', () => {
    const { data, shape } = tiles(2, 1).numbers('v');
    const state = Uint8Array.of(0, 0, 2, 1);
    const [blank, there, a, b] = pixelsOf(2, 2, { data, shape, state, arrived: null }, scale, view) as unknown as [number, number, number, number];
    expect(blank).toBe(0);
    expect(there).toBe(pixel(colourOf(scale, 0.5, 'light')));
    expect(new Set([a, b])).toEqual(new Set([pixel(view.inks.line2), pixel(view.inks.card)]));
  });

  it('have zero in the colour of the card in both themes', () => {
    const { shape } = tiles(2, 1).numbers('v');
    for (const theme of ['light', 'dark'] as const) {
      const zero = { data: new Float32Array(4), shape, state: null, arrived: null };
      const diverging = { ...linear(-1, 1), kind: 'diverging' as const };
      expect(pixelsOf(2, 2, zero, diverging, { theme, inks: inks(theme) })[0]).toBe(pixel(inks(theme).card));
    }
  });
});
