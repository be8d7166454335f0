import { describe, expect, it } from 'vitest';
import { encodeFloats } from '../api/encode.fixture';
import type { Axis, Figure } from '../api/types.gen';
import { cellAt, cellBox, type Grid } from './grid';
import * as heatmap from './heatmap';
import { limit } from './key';
import * as lines from './lines';
import { LiveFigure } from './live';
import { fit, spoken, type Layout, type Painter, type Room } from './painter';
import * as tokens from './tokens';
import { ticks } from './ticks';

const measure = (text: string) => text.length * 7;
const chosen = { show: '', colour: '' };
const room = (width: number): Room => ({ width, measure, chosen, pose: null });
const axis = (name: string, n: number): Axis => ({ name, labels: Array.from({ length: n }, (_, i) => String(i)) });
const zeros = (...shape: number[]) => ({ shape, axes: shape.map(String), f32: encodeFloats(new Array<number>(shape.reduce((a, b) => a * b, 1)).fill(0.5)) });
const scale = { kind: 'sequential' as const, lo: 0, hi: 1, label: 'p', format: '%.2f' };

function tokenGrid(rows = 4, columns = 3): LiveFigure {
  const figure: Figure = {
    kind: 'tokens',
    title: 'Lens',
    subtitle: '',
    tokens: {
      rows: axis('layer', rows),
      columns: axis('position', columns),
      cell: 'cell',
      top_tokens: 'top',
      top_values: 'topv',
      metrics: [{ name: 'prob', label: 'prob', help: '', values: 'p', scale: 's' }],
      show: 'prob',
      focus: columns - 1,
      target: [],
    },
    arrays: { p: zeros(rows, columns), topv: zeros(rows, columns, 2) },
    texts: {
      cell: { shape: [rows, columns], values: new Array<string>(rows * columns).fill('x') },
      top: { shape: [rows, columns, 2], values: new Array<string>(rows * columns * 2).fill(' y') },
    },
    scales: { s: scale },
    provenance: {},
  };
  return new LiveFigure(figure);
}

/** Three grids, of which the last is a run with something moved. */
function patchGrids(): LiveFigure {
  const { figure } = tokenGrid();
  const columns = axis('position', 3);
  const tokens = { ...figure.tokens!, panels: ['a', 'b', 'c'].map((title) => ({ title, columns })) };
  tokens.patch = { from: 0, into: 1, call: '', results: [{ panel: 2, try: 0, cone: 'cone', changed: 'cone' }] };
  const arrays = { p: zeros(3, 4, 3), topv: zeros(3, 4, 3, 2), cone: zeros(4, 3) };
  const words = (...shape: number[]) => ({ shape, values: new Array<string>(shape.reduce((a, b) => a * b, 1)).fill('x') });
  return new LiveFigure({ ...figure, tokens, arrays, texts: { cell: words(3, 4, 3), top: words(3, 4, 3, 2) } });
}

function heat(columns: number, state?: string): LiveFigure {
  const panel = (title: string) => ({ title, rows: axis('layer', 4), columns: axis('position', columns), values: title, errors: '' });
  const figure: Figure = {
    kind: 'heatmap',
    title: 'Effect',
    subtitle: '',
    heatmap: { panels: [panel('a'), panel('b')], scale: 's' },
    arrays: { a: { ...zeros(4, columns), state }, b: zeros(4, columns) },
    scales: { s: scale },
    provenance: {},
  };
  return new LiveFigure(figure);
}

function curves(): LiveFigure {
  const figure: Figure = {
    kind: 'lines',
    title: 'Loss',
    subtitle: '',
    lines: { x: 'x', x_scale: 'sx', y_scale: 'sy', series: [{ name: 'low', y: 'lo' }, { name: 'high', y: 'hi' }] },
    arrays: {
      x: { shape: [3], axes: ['x'], f32: encodeFloats([0, 5, 10]) },
      lo: { shape: [3], axes: ['x'], f32: encodeFloats([0, 0, 0]) },
      hi: { shape: [3], axes: ['x'], f32: encodeFloats([1, 1, 1]) },
    },
    scales: { sx: { ...scale, kind: 'linear', hi: 10 }, sy: { ...scale, kind: 'linear' } },
    provenance: {},
  };
  return new LiveFigure(figure);
}

describe('a grid', () => {
  const g: Grid = { x: 40, y: 10, rows: 3, cols: 2, pitchX: 50, pitchY: 30 };

  it('has row 0 at the bottom', () => {
    expect(cellBox(g, 0, 0)).toEqual({ x: 40, y: 70, w: 47, h: 27 });
    expect(cellBox(g, 2, 1)).toEqual({ x: 90, y: 10, w: 47, h: 27 });
  });

  it.each([
    ['left of it', 39, 20],
    ['right of it', 140, 20],
    ['above it', 50, 9],
    ['below it', 50, 100],
    ['nowhere', NaN, 20],
  ])('has no cell %s', (_, x, y) => {
    expect(cellAt(g, x, y)).toBeNull();
  });
});

// Every kind: the middle of each spot's box is that spot, and steps reach every spot.
describe.each([
  ['tokens', tokens as unknown as Painter<Layout>, tokenGrid(), [1, 4, 3]],
  ['runs', tokens as unknown as Painter<Layout>, patchGrids(), [3, 4, 3]],
  ['heatmap abreast', heatmap as unknown as Painter<Layout>, heat(3), [2, 4, 3]],
  ['heatmap stacked', heatmap as unknown as Painter<Layout>, heat(20), [2, 4, 20]],
  ['lines', lines as unknown as Painter<Layout>, curves(), [1, 2, 3]],
] as const)('%s', (_, painter, figure, [panels, rows, columns]) => {
  it.each([390, 850])('hits what it shows at %d px', (width) => {
    const at = painter.layout(figure, room(width));
    expect(at.width).toBeGreaterThanOrEqual(width);
    for (let panel = 0; panel < panels; panel++) {
      for (let row = 0; row < rows; row++) {
        for (let col = 0; col < columns; col++) {
          const b = painter.box(at, { panel, row, col });
          expect(painter.hit(at, b.x + b.w / 2, b.y + b.h / 2)).toEqual({ panel, row, col });
          expect(b.x).toBeGreaterThanOrEqual(0);
          expect(b.x + b.w).toBeLessThanOrEqual(at.width + 6);
          expect(b.y + b.h).toBeLessThanOrEqual(at.height);
        }
      }
    }
    expect(painter.hit(at, -20, 5)).toBeNull();
  });

  it('walks to the last corner and stays there', () => {
    const at = painter.layout(figure, room(850));
    let spot = painter.step(at, null, 0, 0);
    for (let i = 0; i < panels * columns; i++) spot = painter.step(at, spot, 1, 0);
    for (let i = 0; i < rows; i++) spot = painter.step(at, spot, 0, 1);
    expect(spot.col).toBe(columns - 1);
    expect(spot.panel).toBe(panels - 1);
    expect(painter.step(at, spot, 1, 0)).toEqual(spot);
    for (let i = 0; i < panels * columns; i++) spot = painter.step(at, spot, -1, 0);
    expect([spot.panel, spot.col]).toEqual([0, 0]);
  });

  it('fits a plate', () => {
    const at = painter.layout(figure, { ...room(250), mini: 200 });
    expect([at.width, at.height]).toEqual([250, 200]);
  });
});

it('never shrinks the cells of a long prompt below what can be read', () => {
  const at = tokens.layout(tokenGrid(4, 60), room(390));
  expect(at.grids[0]!.pitchX).toBe(40);
  expect(at.width).toBeGreaterThan(60 * 40);
});

it('keeps its height while numbers come', () => {
  const waiting = heat(3, btoa('\0'.repeat(12)));
  const before = heatmap.layout(waiting, room(390)).height;
  waiting.apply({ arrays: [{ name: 'a', offset: 0, f32: encodeFloats(new Array<number>(12).fill(1)) }] });
  expect(heatmap.layout(waiting, room(390)).height).toBe(before);
});

describe('readings', () => {
  it('says a token cell', () => {
    const reading = tokens.read(tokenGrid(), { panel: 0, row: 1, col: 2 }, { show: 'prob', colour: '' });
    expect(spoken(reading)).toBe('layer 1 · position 2, token 2: prob 0.50; best ·y 0.500, ·y 0.500');
  });

  it('says that a cell is not computed yet', () => {
    const reading = heatmap.read(heat(3, btoa('\0'.repeat(12))), { panel: 0, row: 0, col: 0 }, chosen);
    expect(reading.value).toBe('not computed yet');
  });

  it('says every line at an x', () => {
    const reading = lines.read(curves(), { panel: 0, row: 1, col: 2 });
    expect([reading.title, reading.label, reading.value, reading.facts]).toEqual(['p 10.00', 'high', '1.00', [{ name: 'low', value: '0.00' }]]);
  });
});

it('cuts text to its room', () => {
  expect(fit(measure, 'position', '', 60)).toBe('position');
  expect(fit(measure, 'position', '', 35)).toBe('posi…');
  expect(fit(measure, 'position', '', 3)).toBe('');
});

it.each([
  [{ ...scale, lo: 0, hi: 1 }, 5, ['0', '0.2', '0.4', '0.6', '0.8', '1']],
  [{ ...scale, lo: -3, hi: 3 }, 3, ['−2', '0', '2']],
  [{ ...scale, kind: 'log' as const, lo: 1, hi: 1000 }, 4, ['1', '10', '100', '1,000']],
])('puts ticks on round numbers', (s, about, want) => {
  expect(ticks(s, about).map((t) => t.text)).toEqual(want);
});

it('never writes a limit as zero', () => {
  expect(limit({ ...scale, format: '%.2f' }, 0.0004)).toBe('0.0004');
  expect(limit({ ...scale, format: '%.2f', kind: 'diverging' }, 2)).toBe('+2');
  expect(limit({ ...scale, format: '%.2f' }, 17000)).toBe('17,000');
  expect(limit({ ...scale, format: '%.2f' }, -1234567.5)).toBe('−1,234,567.5');
  expect(limit({ ...scale, format: '%.2f' }, 0)).toBe('0');
});
