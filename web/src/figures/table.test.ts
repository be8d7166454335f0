import { expect, it } from 'vitest';
import { encodeFloats } from '../api/encode.fixture';
import { LiveFigure } from './live';
import { cell, heading, ordered } from './table';

const columns = [
  { name: 'place', text: 'place' },
  { name: 'restored', unit: '%', values: 'r', format: '%.1f' },
];
const figure = new LiveFigure({
  kind: 'table',
  title: 'Tried',
  subtitle: '',
  table: { columns, rows: 4 },
  arrays: { r: { shape: [4], axes: ['row'], f32: encodeFloats([3, NaN, 9, 0]), state: btoa('\x01\x01\x01\x00') } },
  texts: { place: { shape: [4], values: ['b', 'd', 'a', 'c'] } },
  provenance: {},
});

it.each([
  ['as given', null, [0, 1, 2, 3]],
  ['by text', { column: 0, down: false }, [2, 0, 3, 1]],
  ['by number, those without one last', { column: 1, down: true }, [2, 0, 1, 3]],
  ['by number upwards, those without one last', { column: 1, down: false }, [0, 2, 1, 3]],
])('orders %s', (_, order, want) => {
  expect(ordered(figure, order)).toEqual(want);
});

it('writes cells and headings', () => {
  expect(cell(figure, 2, columns[1]!)).toEqual({ text: '9.0', pending: false });
  expect(cell(figure, 3, columns[1]!)).toEqual({ text: '', pending: true });
  expect(cell(figure, 1, columns[0]!)).toEqual({ text: 'd', pending: false });
  expect(columns.map(heading)).toEqual(['place', 'restored, %']);
});
