// The token grid: the best token in each cell, one of several metrics as its
// colour, layers from the bottom to the top.
import type { Axis, Scale, TokenMetric, Tokens } from '../api/types.gen';
import { NARROW, chipPitch, drawColumns, drawRows, gutterWidth } from './axis';
import { tokenText } from './colour';
import { format } from './format';
import { cellAt, cellBox, drawCells, drawFrame, type Grid } from './grid';
import { drawKey, keyHeight } from './key';
import { BLANK, DONE, PENDING, type LiveFigure } from './live';
import type { Box, Layout, Measure, Reading, Room, Spot, View } from './painter';

export interface TokensLayout extends Layout {
  grid: Grid;
  measure: Measure;
  mini: boolean;
}

const COLUMN_LABELS = 30;

function data(figure: LiveFigure): Tokens {
  return figure.figure.tokens!;
}

/** The metric of a name; the figure's own when there is none of that name. */
export function metricOf(tokens: Tokens, show: string): TokenMetric {
  const named = (name: string) => tokens.metrics.find((m) => m.name === name);
  return named(show) ?? named(tokens.show) ?? tokens.metrics[0]!;
}

function scaleOf(figure: LiveFigure, metric: TokenMetric): Scale {
  const scale = figure.scale(metric.scale);
  return scale.label ? scale : { ...scale, label: metric.label };
}

/** The columns are a prompt's tokens, with roles or without. */
function columnsOf(tokens: Tokens): Axis {
  const { columns } = tokens;
  return columns.roles?.length ? columns : { ...columns, roles: columns.labels.map(() => '' as const) };
}

export function layout(figure: LiveFigure, room: Room): TokensLayout {
  const { rows, columns } = data(figure);
  const mini = room.mini !== undefined;
  const gutter = gutterWidth(rows, room.measure, !mini && room.width >= NARROW);
  const fitting = (room.width - gutter - 4) / columns.labels.length;
  // A short prompt fits, its chips shortened where they must be; a long one scrolls and stays readable.
  const least = mini ? 1 : fitting >= 40 ? 40 : Math.max(40, chipPitch(columnsOf(data(figure)), room.measure));
  const pitchX = Math.max(least, Math.min(room.tall ? 320 : 150, fitting));
  const usual = rows.labels.length > 40 ? 20 : 30;
  const filling = room.tall ? Math.min(64, (room.tall - 70) / rows.labels.length) : 0;
  const pitchY = mini ? (room.mini! - 36) / rows.labels.length : Math.max(usual, filling);
  const grid = { x: gutter, y: mini ? 8 : 4, rows: rows.labels.length, cols: columns.labels.length, pitchX, pitchY };
  const width = Math.max(room.width, Math.ceil(gutter + grid.cols * pitchX + 4));
  // The tallest metric's key, so that switching moves nothing.
  const keys = data(figure).metrics.map((m) =>
    keyHeight(scaleOf(figure, m), [figure.numbers(m.values)], room.width - gutter, room.measure),
  );
  const height = mini ? room.mini! : Math.ceil(grid.y + grid.rows * pitchY + COLUMN_LABELS + Math.max(...keys));
  return { width, height, grid, measure: room.measure, mini };
}

export function draw(ctx: CanvasRenderingContext2D, figure: LiveFigure, at: TokensLayout, view: View): boolean {
  const tokens = data(figure);
  const metric = metricOf(tokens, view.show);
  const scale = scaleOf(figure, metric);
  const { grid, measure, mini } = at;
  const label = mini && grid.pitchX < 24 ? null : (i: number) => tokenTextOf(figure, tokens.cell, i);
  const only = mini ? (i: number) => (i % grid.cols === tokens.focus ? label!(i) : '') : label;
  const fading = drawCells(ctx, grid, figure.numbers(metric.values), scale, view, measure, label && only);
  drawRows(ctx, grid, tokens.rows, view, measure, mini ? 5 : Infinity);
  drawColumns(ctx, grid, columnsOf(tokens), view, measure, mini ? 5 : Infinity);
  if (tokens.focus >= 0 && tokens.focus < grid.cols) drawFocus(ctx, grid, tokens.focus, view);
  const below = grid.y + grid.rows * grid.pitchY + COLUMN_LABELS;
  if (!mini) drawKey(ctx, grid.x, below, at.width - grid.x, scale, [figure.numbers(metric.values)], view, measure);
  if (view.spot) drawFrame(ctx, box(at, view.spot), view);
  return fading;
}

function tokenTextOf(figure: LiveFigure, name: string, i: number): string {
  const text = figure.text(name, i);
  return text === '' ? '' : tokenText(text);
}

/** The frame around the column that the figure is about. */
function drawFocus(ctx: CanvasRenderingContext2D, g: Grid, col: number, view: View): void {
  const top = cellBox(g, g.rows - 1, col);
  ctx.strokeStyle = view.inks.brass;
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  ctx.roundRect(top.x - 2, top.y - 2, top.w + 4, g.rows * g.pitchY + 1, 5);
  ctx.stroke();
}

export function hit(at: TokensLayout, x: number, y: number): Spot | null {
  const cell = cellAt(at.grid, x, y);
  return cell && { panel: 0, ...cell };
}

export function step(at: TokensLayout, from: Spot | null, dx: number, dy: number): Spot {
  const { rows, cols } = at.grid;
  if (!from) return { panel: 0, row: rows - 1, col: cols - 1 };
  const within = (n: number, size: number) => Math.min(size - 1, Math.max(0, n));
  return { panel: 0, row: within(from.row + dy, rows), col: within(from.col + dx, cols) };
}

export function box(at: TokensLayout, spot: Spot): Box {
  return cellBox(at.grid, spot.row, spot.col);
}

export function read(figure: LiveFigure, spot: Spot, show: string): Reading {
  const tokens = data(figure);
  const metric = metricOf(tokens, show);
  const i = spot.row * tokens.columns.labels.length + spot.col;
  const target = tokens.target[spot.col];
  const facts = tokens.metrics
    .filter((m) => m !== metric)
    .map((m) => ({ name: m.label, value: valueOf(figure, m, i) }));
  if (target) facts.unshift({ name: 'target token', value: tokenText(target) });
  const role = tokens.columns.roles?.[spot.col] ?? '';
  return {
    title: `${tokens.rows.name} ${tokens.rows.labels[spot.row]} · ${tokens.columns.name} ${spot.col}`,
    token: { text: tokenText(tokens.columns.labels[spot.col] ?? ''), role },
    label: metric.label,
    value: valueOf(figure, metric, i),
    facts,
    best: bestTokens(figure, tokens, i),
  };
}

function valueOf(figure: LiveFigure, metric: TokenMetric, i: number): string {
  const { data: values, state } = figure.numbers(metric.values);
  const s = state?.[i] ?? DONE;
  if (s === PENDING) return 'not computed yet';
  if (s === BLANK) return 'does not exist';
  const scale = figure.scale(metric.scale);
  return [format(scale.format, values[i]!), scale.unit].filter(Boolean).join(' ');
}

function bestTokens(figure: LiveFigure, tokens: Tokens, i: number): Reading['best'] {
  const text = figure.texts.get(tokens.top_tokens);
  const values = figure.arrays.get(tokens.top_values);
  const k = text?.shape.at(-1) ?? 0;
  if (!text || !values || k === 0 || values.state?.[i * k] === PENDING) return [];
  return Array.from({ length: k }, (_, n) => {
    const share = values.data[i * k + n]!;
    return { text: tokenText(text.values[i * k + n] ?? ''), share, value: format('%.3f', share) };
  });
}
