import { expect, it } from 'vitest';
import { Columns } from './columns.svelte';

function at(page: number): Columns {
  const columns = new Columns();
  columns.page = page;
  return columns;
}

it('breaks out as far as figures ask, evenly, and no further than the page', () => {
  // The column leaves 878 px of 980 for a figure.
  expect(at(1500).breakout([{ least: 700, full: 870 }])).toBeNull();
  expect(at(1500).breakout([null, { least: 700, full: 978 }])).toEqual({ left: 50, right: 50 });
  const most = at(1100).breakout([{ least: 1000, full: 2000 }])!;
  expect(most.left).toBe(66);
  expect(most.left + most.right + 878).toBe(1100 - 14 - 64);
});

it('stays in the column where the grids would stack on the whole page, too', () => {
  expect(at(1100).breakout([{ least: 1030, full: 1200 }])).toBeNull();
  expect(at(600).breakout([{ least: 700, full: 900 }])).toBeNull();
  expect(at(0).breakout([{ least: 700, full: 900 }])).toBeNull();
  expect(at(1500).breakout([])).toBeNull();
});
