import { describe, expect, it } from 'vitest';
import type { Figure, Item } from '../api/types.gen';
import { optionsOf, resolved, subtitleOf } from './choices';
import { helix, linear, wire } from './figures.fixture';
import { miniatureOf, painterOf } from './kinds';
import { keyHeight } from './key';
import { LiveFigure } from './live';
import { columnsOf, isKeyless, sharedKeys, sharedScales, standing } from './multiples';

const axis = { name: 'a', labels: ['0'] };
const heat = (title: string, scale: string, panels = 1): Item => ({
  kind: 'heatmap',
  title,
  heatmap: { scale, panels: Array.from({ length: panels }, () => ({ title, rows: axis, columns: axis, values: 'v' })) },
});
const table: Item = { kind: 'table', title: 'T', table: { columns: [], rows: 0 } };

describe('columns', () => {
  const items = Array.from({ length: 6 }, () => table);
  it.each([[916, 3], [600, 2], [480, 1], [342, 1], [0, 1]])('at %d px are %d of 3', (width, want) => {
    expect(columnsOf({ columns: 3, items }, width)).toBe(want);
  });

  it('are never more than asked for, or than there are figures', () => {
    expect(columnsOf({ columns: 2, items }, 2000)).toBe(2);
    expect(columnsOf({ columns: 3, items: [table] }, 2000)).toBe(1);
  });
});

describe('panels that belong together', () => {
  const starts = (items: Item[], columns: number, column?: number) => standing(items, columns, column).map((s) => s.starts);
  const row = (items: Item[], columns: number, column?: number) => standing(items, columns, column).map((s) => s.row);

  it('take a row, with a line above each row but the first', () => {
    const items = [table, table, heat('six', 's', 6), table, table, table];
    expect(starts(items, 2)).toEqual([false, false, true, true, false, true]);
    expect(starts(items, 1)).toEqual([false, true, true, true, true, true]);
    expect(row(items, 2)).toEqual([false, false, true, false, false, false]);
  });

  it('take one, too, where they are two and nothing would stand beside them', () => {
    const two = heat('two', 's', 2);
    expect(row([table, two], 2)).toEqual([false, false]);
    expect(row([two, table, two], 2)).toEqual([false, false, true]);
    expect(row([heat('six', 's', 6), two, heat('six', 's', 6)], 2)).toEqual([true, true, true]);
    expect(row([two], 2)).toEqual([true]);
  });

  it('and tables take one where their headings or numbers need more than their column', () => {
    const wide = (...names: string[]): Item => ({ kind: 'table', title: 'W', table: { rows: 1, columns: [{ name: 'neuron', text: 't' }, ...names.map((name) => ({ name, values: 'v' }))] } });
    const effects = wide('total effect', 'by attribution', 'NRMSE', 'held out', 'R² held out', 'of a+b');
    expect(row([effects, table], 2, 409)).toEqual([true, false]);
    expect(row([effects, table], 2, 500)).toEqual([false, false]);
    expect(row([wide('a+b of waves', 'period', 'writes period'), table], 2, 409)).toEqual([false, false]);
  });
});

it('draws a key once for the scales that figures share', () => {
  const items = [heat('one', 's'), heat('two', 's'), heat('three', 'other'), table];
  const shared = sharedScales(items);
  expect([...shared]).toEqual(['s']);
  expect(items.map((i) => isKeyless(i, shared))).toEqual([true, true, false, false]);
  const figure: Figure = {
    kind: 'multiples',
    title: '',
    subtitle: '',
    provenance: {},
    multiples: { columns: 2, items },
    arrays: { v: wire([NaN], 1, 1) },
    scales: { s: { ...linear(0, 1), kind: 'sequential' } },
  };
  const live = new LiveFigure(figure);
  const [key] = sharedKeys(live, items);
  expect([key!.scale.hi, key!.numbers.length]).toEqual([1, 2]);
  expect(miniatureOf(live)?.figure.title).toBe('one');
});

it('has a painter for every kind but the two that are HTML', () => {
  for (const kind of ['tokens', 'heatmap', 'lines', 'scatter', 'bars', 'dials']) expect(painterOf(kind)).toBeDefined();
  for (const kind of ['table', 'multiples', 'toString']) expect(painterOf(kind)).toBeUndefined();
});

describe('choices', () => {
  const figure = { ...helix(), subtitle: 'its own words' };

  it('are views and colourings, the first ones unless the figure says otherwise', () => {
    expect(optionsOf(figure).views.map((v) => v.name)).toEqual(['space', 'plane']);
    expect(resolved(figure, { show: '', colour: 'nothing' })).toEqual({ show: 'space', colour: 'value' });
    figure.scatter!.show = 'plane';
    expect(resolved(figure, { show: '', colour: 'digit' })).toEqual({ show: 'plane', colour: 'digit' });
    figure.scatter!.show = 'space';
  });

  it('change the words beside the title', () => {
    expect(subtitleOf(figure, { show: '', colour: '' })).toBe('its own words');
    expect(subtitleOf(figure, { show: 'plane', colour: '' })).toBe('from above');
  });

  it('are none for other kinds', () => {
    expect(resolved({}, { show: 'x', colour: 'y' })).toEqual({ show: '', colour: '' });
  });
});

it('writes few categories with a swatch each, many as a bar', () => {
  const measure = (text: string) => text.length * 7;
  const scale = (hi: number) => ({ ...linear(0, hi), kind: 'category' as const, format: '%d', label: '' });
  const rows = (hi: number, names: string[] = []) => (keyHeight(scale(hi), [], 200, measure, names) - 4) / 20;
  expect([rows(3), rows(9), rows(99)]).toEqual([1, 2, 1]);
  expect(rows(3, ['a long name', 'another one', 'a third one', 'the last'])).toBe(2);
});
