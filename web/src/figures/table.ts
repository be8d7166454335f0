// Tables: which text stands in which cell. They are drawn as an HTML table,
// which readers can select, search and hear.
import type { Column, Table } from '../api/types.gen';
import { format } from './format';
import { DONE, PENDING, type FigureData } from './live';

/** One cell as it is drawn. */
export interface TableCell {
  text: string;
  pending: boolean;
}

export type Order = { column: number; down: boolean } | null;

function data(figure: FigureData): Table {
  return figure.figure.table!;
}

/** The heading of a column with its unit. */
export function heading(column: Column): string {
  return column.unit ? `${column.name}, ${column.unit}` : column.name;
}

/** True for a column of numbers, which is set flush right. */
export function isNumeric(column: Column): boolean {
  return Boolean(column.values);
}

/** The cell of a row and column. */
export function cell(figure: FigureData, row: number, column: Column): TableCell {
  if (!column.values) return { text: column.text ? figure.text(column.text, row) : '', pending: false };
  const { data: values, state } = figure.numbers(column.values);
  const s = state?.[row] ?? DONE;
  return { text: s === DONE ? format(column.format ?? '', values[row]!) : '', pending: s === PENDING };
}

/** Row numbers in the asked order; rows without a number come last. */
export function ordered(figure: FigureData, order: Order): number[] {
  const { columns, rows } = data(figure);
  const all = Array.from({ length: rows }, (_, i) => i);
  const by = order && columns[order.column];
  if (!by) return all;
  const sign = order.down ? -1 : 1;
  if (!by.values) return all.sort((a, b) => sign * figure.text(by.text ?? '', a).localeCompare(figure.text(by.text ?? '', b)));
  const { data: values, state } = figure.numbers(by.values);
  const known = (i: number) => (state?.[i] ?? DONE) === DONE && !Number.isNaN(values[i]!);
  return all.sort((a, b) => {
    if (known(a) !== known(b)) return known(a) ? -1 : 1;
    return known(a) ? sign * (values[a]! - values[b]!) : 0;
  });
}
