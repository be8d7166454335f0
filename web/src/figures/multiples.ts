// A grid of figures over one pool: how many stand abreast, which take a whole
// row, and the colour keys that several of them share.
import type { Item, Multiples, Scale, Table } from '../api/types.gen';
import { namesOf } from './key';
import type { FigureData, Numbers } from './live';
import { heading, isNumeric } from './table';

/** The narrowest figure, and the space between two. */
const LEAST = 230;
export const BETWEEN = 28;

/** How many stand abreast: as many as the figure asks for where the width allows. */
export function columnsOf(multiples: Multiples, width: number): number {
  const fit = Math.floor((width + BETWEEN) / (LEAST + BETWEEN));
  return Math.max(1, Math.min(multiples.columns, multiples.items.length, fit));
}

/** The width of a letter in a table, and the white around a cell. */
const LETTER = 7.5;
const AROUND = 14;

/** What a table needs, about: headings break between words, and numbers have five digits or so. */
function tableWidth(table: Table | undefined): number {
  const longest = (text: string) => Math.max(...text.split(' ').map((word) => word.length));
  return (table?.columns ?? []).reduce((sum, c) => sum + AROUND + LETTER * Math.max(isNumeric(c) ? 5 : 8, longest(heading(c))), 0);
}

const panelsOf = (item: Item): number => item.heatmap?.panels.length ?? item.dials?.items.length ?? 1;

/** Several grids or faces that belong together take a row of their own, and so does a table that is too wide for its column. */
function takesRow(item: Item, column: number): boolean {
  return panelsOf(item) > 2 || tableWidth(item.table) > column;
}

/** How an item stands: over a whole row, and at the beginning of one that is not the first, above which is a line. */
export interface Standing {
  row: boolean;
  starts: boolean;
}

/** How the items stand; two grids that would be alone beside an empty place take the row, too. */
export function standing(items: Item[], columns: number, column = Infinity): Standing[] {
  let used = 0;
  const out = items.map((item, i) => {
    const row = takesRow(item, column);
    const wide = row ? columns : 1;
    const starts = used + wide > columns;
    used = starts ? wide : used + wide;
    return { row, starts: starts && i > 0 };
  });
  const begins = (i: number) => i === 0 || i === out.length || out[i]!.starts;
  return out.map(({ row, starts }, i) => ({ row: row || (panelsOf(items[i]!) > 1 && begins(i) && begins(i + 1)), starts }));
}

/** The colour scale that an item's key would show. */
function scaleOf(item: Item): { scale: string; arrays: string[] } | null {
  if (item.heatmap) return { scale: item.heatmap.scale, arrays: item.heatmap.panels.map((p) => p.values) };
  const dials = item.dials?.items.filter((d) => d.scale && d.colour) ?? [];
  if (dials.length > 0 && dials.every((d) => d.scale === dials[0]!.scale)) return { scale: dials[0]!.scale!, arrays: dials.map((d) => d.colour!) };
  const colours = item.scatter?.colours ?? [];
  if (colours.length === 1) return { scale: colours[0]!.scale, arrays: [colours[0]!.values] };
  return null;
}

/** A key for several figures. */
export interface SharedKey {
  scale: Scale;
  names: string[];
  numbers: Numbers[];
}

/** The scales that two items or more have in common. */
export function sharedScales(items: Item[]): Set<string> {
  const names = items.map((i) => scaleOf(i)?.scale);
  return new Set(names.filter((n, i): n is string => n !== undefined && names.indexOf(n) !== i));
}

/** True when an item's key stands at the foot, with those of its neighbours. */
export function isKeyless(item: Item, shared: Set<string>): boolean {
  return shared.has(scaleOf(item)?.scale ?? '');
}

export function sharedKeys(figure: FigureData, items: Item[]): SharedKey[] {
  return [...sharedScales(items)].map((name) => {
    const scale = figure.scale(name);
    const arrays = items.flatMap((i) => (scaleOf(i)?.scale === name ? scaleOf(i)!.arrays : []));
    return { scale, names: namesOf(figure, scale), numbers: arrays.map((a) => figure.whole(a)) };
  });
}
