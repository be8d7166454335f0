// What stands behind a heatmap's cell: the values of its pairs, and the run
// that opens when the reader asks for it.
import type { Panel } from '../api/types.gen';
import { DONE, type FigureData } from './live';
import { labelOf } from './axis';
import type { Reading, Spot } from './painter';

/** What a cell's values are one each of. */
function behind({ heads, open }: Panel): 'pair' | 'prompt' {
  const runs = heads?.names.length ?? (open ? textsOf(open.pairs[0]!).length : 2);
  return runs === 1 ? 'prompt' : 'pair';
}

/** The prompts in the arguments of a call. */
const textsOf = (pair: string) => [...pair.matchAll(/\b(?:clean|corrupted)="((?:[^"\\]|\\.)*)"/g)].map((m) => m[1]!);

/** The values of a cell's pairs; nothing while they are not computed. */
export function pairsOf(figure: FigureData, panel: Panel, cell: number, format: string): Reading['pairs'] {
  if (!panel.each) return undefined;
  const { data, state, shape } = figure.numbers(panel.each);
  const n = shape.at(-1)!;
  const values = [...data.subarray(cell * n, (cell + 1) * n)];
  for (let i = 0; i < n; i++) if ((state?.[cell * n + i] ?? DONE) !== DONE || !Number.isFinite(values[i]!)) return undefined;
  return { values, mean: values.reduce((a, b) => a + b, 0) / n, format, of: behind(panel) };
}

/** The pair that is nearest to the mean; the first one where they are not kept. */
export function typical(pairs: Reading['pairs']): number {
  if (!pairs) return 0;
  const far = pairs.values.map((v) => Math.abs(v - pairs.mean));
  return far.indexOf(Math.min(...far));
}

/** How the edited run of a cell opens. */
export function openingOf(panel: Panel, row: number, col: number, pairs: Reading['pairs']): Reading['open'] {
  const { open } = panel;
  if (!open) return undefined;
  const n = typical(pairs);
  const pair = open.pairs[n]!;
  const texts = textsOf(pair);
  const which = open.pairs.length > 1 ? `${behind(panel)} ${n + 1} of ${open.pairs.length}${pairs ? ', the nearest to the mean' : ''}` : '';
  // The pair last: what stands in them is never taken for a place to fill.
  const call = (model: string, prompts: string) =>
    open.call
      .replace('{row}', () => open.rows[row]!)
      .replaceAll('{column}', () => open.columns[col]!)
      .replace('{model}', () => model)
      .replace('{prompts}', () => prompts)
      .replace('{pair}', () => pair);
  const sets = open.call.includes('{prompts}');
  return { prompts: [texts.slice(0, 2).join(' into '), which].filter(Boolean).join(' · '), which, sets, call };
}

/** Where a cell's values stand: those of its pairs where they are kept. */
export function valueOf(panel: Panel, { row, col }: Spot, pairs: Reading['pairs']): Reading['value_of'] {
  const { rows, columns } = panel;
  const words = [rows.name, labelOf(rows, row), columns.name, columns.roles?.length ? String(col) : labelOf(columns, col)];
  const name = words.join('_').toLowerCase().replace(/[^a-z0-9]+/g, '_').replace(/^_+|_+$/g, '');
  const note = pairs ? `${pairs.values.length} ${pairs.of}s` : '';
  return { name: /^[a-z]/.test(name) ? name : `cell_${name}`, array: pairs ? panel.each! : panel.values, note };
}

/** Bars of a histogram: the limits of the axis, and how many values fall in each of n steps. */
export function histogram(values: number[], n: number): { lo: number; hi: number; counts: number[] } {
  let lo = Math.min(0, ...values);
  let hi = Math.max(0, ...values);
  if (lo === hi) [lo, hi] = [lo - 0.5, hi + 0.5];
  const counts = new Array<number>(n).fill(0);
  for (const v of values) counts[Math.min(n - 1, Math.floor(((v - lo) / (hi - lo)) * n))]!++;
  return { lo, hi, counts };
}
