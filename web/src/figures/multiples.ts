// A grid of figures over one pool: how many stand abreast, which take a whole
// row, and the colour keys that several of them share.
import type { Item, Multiples, Scale } from '../api/types.gen';
import { namesOf } from './key';
import type { FigureData, Numbers } from './live';

/** The narrowest figure, and the space between two. */
const LEAST = 230;
export const BETWEEN = 28;

/** How many stand abreast: as many as the figure asks for where the width allows. */
export function columnsOf(multiples: Multiples, width: number): number {
  const fit = Math.floor((width + BETWEEN) / (LEAST + BETWEEN));
  return Math.max(1, Math.min(multiples.columns, multiples.items.length, fit));
}

/** What a table of so many columns needs, about. */
const tableWidth = (columns: number) => 40 + 50 * columns;

/** Several grids or faces that belong together take a row of their own, and so does a table that is too wide for its column. */
export function takesRow(item: Item, column = Infinity): boolean {
  return (item.heatmap?.panels.length ?? 0) > 2 || (item.dials?.items.length ?? 0) > 2 || tableWidth(item.table?.columns.length ?? 0) > column;
}

/** Which items begin a row, the first one's left out: a line stands above them. */
export function rowStarts(items: Item[], columns: number, column = Infinity): boolean[] {
  let used = 0;
  return items.map((item, i) => {
    const wide = takesRow(item, column) ? columns : 1;
    const starts = used + wide > columns;
    used = starts ? wide : used + wide;
    return starts && i > 0;
  });
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
