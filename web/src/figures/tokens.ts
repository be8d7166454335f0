// The token grid: the best token in each cell, one of several metrics as its
// colour, layers from the bottom to the top. Several runs stand abreast.
import type { Axis, Scale, TokenMetric, Tokens } from '../api/types.gen';
import { NARROW, chipPitch, drawColumns, drawRows, gutterWidth } from './axis';
import { tokenText } from './colour';
import { format } from './format';
import { cellAt, cellBox, drawCells, drawFrame, type Grid } from './grid';
import { drawKey, keyHeight } from './key';
import { lensOf, under } from './lens';
import { BLANK, DONE, PENDING, type FigureData, type Numbers } from './live';
import { FONT, fit, type Box, type Choice, type Layout, type Measure, type Reading, type Room, type Spot, type View, type Wish } from './painter';
import { drawChanged, drawCone, drawLine, drawRing, outside, resultOf } from './patch-marks';

export interface TokensLayout extends Layout {
  /** One grid a panel. */
  grids: Grid[];
  keyY: number;
  /** True when the rows' axis has its name beside it. */
  named: boolean;
  measure: Measure;
  mini: boolean;
  keyless: boolean;
}

const COLUMN_LABELS = 30;
const TITLE = FONT.ui(13, 600);
const NOTE = FONT.ui(12);
const TITLE_HEIGHT = 26;
const BETWEEN = 24;
/** The pitch of cells of grids abreast: the least, in which three digits are whole, and the most that they ask for. */
const LEAST = 32;
const FULL = 40;

/** The grid as it is looked at. */
function data(figure: FigureData, chosen: Choice): Tokens {
  return under(figure.figure.tokens!, chosen.colour);
}

/** The metric of a name; the figure's own when there is none of that name. */
function metricOf(tokens: Tokens, show: string): TokenMetric {
  const named = (name: string) => tokens.metrics.find((m) => m.name === name);
  return named(show) ?? named(tokens.show) ?? tokens.metrics[0]!;
}

function scaleOf(figure: FigureData, metric: TokenMetric): Scale {
  const scale = figure.scale(metric.scale);
  return scale.label ? scale : { ...scale, label: metric.label };
}

/** The columns of a panel are a prompt's tokens, with roles or without. */
function columnsOf(tokens: Tokens, panel: number): Axis {
  const columns = tokens.panels?.[panel]?.columns ?? tokens.columns;
  return columns.roles?.length ? columns : { ...columns, roles: columns.labels.map(() => '' as const) };
}

/** The numbers of one panel. */
function slice(numbers: Numbers, panel: number, size: number): Numbers {
  if (numbers.data.length === size) return numbers;
  const [from, to] = [panel * size, (panel + 1) * size];
  return {
    shape: numbers.shape.slice(1),
    data: numbers.data.subarray(from, to),
    state: numbers.state?.subarray(from, to) ?? null,
    arrived: numbers.arrived?.subarray(from, to) ?? null,
  };
}

/** The pitch of the widest chip. */
function chips(tokens: Tokens, measure: Measure): number {
  return Math.max(...Array.from({ length: Math.max(1, tokens.panels?.length ?? 0) }, (_, i) => chipPitch(columnsOf(tokens, i), measure)));
}

/** All grids abreast. */
export function wish(figure: FigureData, measure: Measure): Wish | null {
  const tokens = figure.figure.tokens!;
  const n = tokens.panels?.length ?? 0;
  if (n < 2) return null;
  const width = (pitch: number) => Math.ceil(n * (gutterWidth(tokens.rows, measure, false) + 4 + tokens.columns.labels.length * pitch) + BETWEEN * (n - 1));
  return { least: width(LEAST), full: width(Math.min(FULL, Math.max(LEAST, chips(tokens, measure)))) };
}

export function layout(figure: FigureData, room: Room): TokensLayout {
  const tokens = data(figure, room.chosen);
  const { rows, columns } = tokens;
  const mini = room.mini !== undefined;
  const panels = mini ? 1 : Math.max(1, tokens.panels?.length ?? 0);
  const several = !mini && panels > 1;
  const cols = columns.labels.length;
  const gutter = (named: boolean) => gutterWidth(rows, room.measure, named);
  let abreast = 1;
  for (let n = panels; n > 1 && abreast === 1; n--) {
    const slot = (room.width - BETWEEN * (n - 1)) / n - gutter(false) - 4;
    // Four stand two by two rather than three and one.
    if (panels === 4 && n === 3) continue;
    if (slot / cols >= LEAST) abreast = n;
  }
  const named = !mini && abreast === 1 && room.width >= NARROW;
  const left = gutter(named);
  const slot = (room.width - BETWEEN * (abreast - 1)) / abreast;
  const fitting = (slot - left - 4) / cols;
  // A short prompt fits, its chips shortened where they must be; a long one scrolls and stays readable.
  const least = mini ? 1 : abreast > 1 ? 0 : fitting >= 40 ? 40 : Math.max(40, chips(tokens, room.measure));
  const pitchX = Math.max(least, Math.min(room.tall ? 320 : 150, fitting));
  const lines = Math.ceil(panels / abreast);
  const usual = several ? 24 : rows.labels.length > 40 ? 20 : 30;
  const filling = room.tall ? Math.min(64, (room.tall - 70) / lines / rows.labels.length) : 0;
  const pitchY = mini ? (room.mini! - 36) / rows.labels.length : Math.max(usual, filling);
  const head = several ? TITLE_HEIGHT : mini ? 8 : 4;
  const tall = head + rows.labels.length * pitchY + COLUMN_LABELS;
  const grids = Array.from({ length: panels }, (_, i) => ({
    x: (i % abreast) * (slot + BETWEEN) + left,
    y: Math.floor(i / abreast) * (tall + 6) + head,
    rows: rows.labels.length,
    cols,
    pitchX,
    pitchY,
  }));
  const width = Math.max(room.width, Math.ceil(left + cols * pitchX + 4));
  // The tallest metric's key, so that switching moves nothing.
  const keyless = mini || (room.keyless ?? false);
  const keys = tokens.metrics.map((m) => (keyless ? 0 : keyHeight(scaleOf(figure, m), [figure.whole(m.values)], room.width - left, room.measure)));
  const keyY = grids.at(-1)!.y + rows.labels.length * pitchY + COLUMN_LABELS;
  const height = mini ? room.mini! : Math.ceil(keyY + Math.max(...keys));
  return { width, height, grids, keyY, named, measure: room.measure, mini, keyless };
}

export function draw(ctx: CanvasRenderingContext2D, figure: FigureData, at: TokensLayout, view: View): boolean {
  const tokens = data(figure, view.chosen);
  const metric = metricOf(tokens, view.chosen.show);
  const scale = scaleOf(figure, metric);
  const { grids, measure, mini } = at;
  const numbers = figure.numbers(metric.values);
  let fading = false;
  grids.forEach((grid, panel) => {
    const size = grid.rows * grid.cols;
    const result = resultOf(tokens.patch ?? undefined, panel);
    const label = mini && grid.pitchX < 24 ? null : (i: number) => tokenTextOf(figure, tokens.cell, panel * size + i);
    const only = mini ? (i: number) => (i % grid.cols === tokens.focus ? label!(i) : '') : label;
    if (result) drawCone(ctx, grid, figure, result, view);
    const faded = result ? outside(figure, result) : undefined;
    if (drawCells(ctx, grid, slice(numbers, panel, size), scale, view, measure, label && only, faded)) fading = true;
    if (result) drawChanged(ctx, grid, figure, result, view);
    drawRows(ctx, grid, at.named ? tokens.rows : { ...tokens.rows, name: '' }, view, measure, mini ? 5 : Infinity);
    drawColumns(ctx, grid, columnsOf(tokens, panel), view, measure, mini ? 5 : Infinity);
    if (!mini && grids.length > 1) drawTitle(ctx, grid, tokens, panel, view, measure);
    if (tokens.focus >= 0 && tokens.focus < grid.cols) drawFocus(ctx, grid, tokens.focus, view);
  });
  const { x } = grids[0]!;
  if (!at.keyless) drawKey(ctx, x, at.keyY, at.width - x, scale, [numbers], view, measure);
  if (!mini) drawMoves(ctx, tokens, at, view);
  if (view.spot) drawFrame(ctx, box(at, view.spot), view);
  return fading;
}

/** The name of a panel, and beside it what run it is as far as there is room. */
function drawTitle(ctx: CanvasRenderingContext2D, g: Grid, tokens: Tokens, panel: number, view: View, measure: Measure): void {
  const { title, note } = tokens.panels![panel]!;
  const room = g.cols * g.pitchX;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  ctx.font = TITLE;
  ctx.fillStyle = view.inks.ink;
  ctx.fillText(fit(measure, title, TITLE, room), g.x, g.y - TITLE_HEIGHT / 2 - 2);
  const used = measure(title, TITLE) + 10;
  ctx.font = NOTE;
  ctx.fillStyle = view.inks.mute;
  if (note) ctx.fillText(fit(measure, note, NOTE, room - used), g.x + used, g.y - TITLE_HEIGHT / 2 - 1.5);
}

/** What was moved, or what the reader's hand holds now. */
function drawMoves(ctx: CanvasRenderingContext2D, tokens: Tokens, at: TokensLayout, view: View): void {
  if (view.lift) {
    const { from, into, fits } = view.lift;
    if (from && into && fits) drawLine(ctx, at.grids, from, into, view);
    if (into && fits) drawRing(ctx, box(at, into), view, false);
    if (from) drawRing(ctx, box(at, from), view, true);
    return;
  }
  const { patch } = tokens;
  if (!patch) return;
  for (const result of patch.results ?? []) {
    const moves = result.moves ?? [];
    for (const m of moves) {
      const from = { panel: m.panel, row: m.from_row, col: m.from_column };
      const into = { panel: patch.into, row: m.to_row, col: m.to_column };
      const moved = from.panel !== into.panel || from.row !== into.row || from.col !== into.col;
      if (moves.length === 1 && moved) drawLine(ctx, at.grids, from, into, view);
      if (moved) drawRing(ctx, box(at, from), view, true);
      drawRing(ctx, box(at, into), view, false);
      drawRing(ctx, box(at, { ...into, panel: result.panel }), view, false);
    }
  }
}

function tokenTextOf(figure: FigureData, name: string, i: number): string {
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
  for (const [panel, grid] of at.grids.entries()) {
    const cell = cellAt(grid, x, y);
    if (cell) return { panel, ...cell };
  }
  return null;
}

/** One step; past the left or right edge it goes on in the next panel. */
export function step(at: TokensLayout, from: Spot | null, dx: number, dy: number): Spot {
  const { rows, cols } = at.grids[0]!;
  if (!from) return { panel: 0, row: rows - 1, col: cols - 1 };
  const within = (n: number, size: number) => Math.min(size - 1, Math.max(0, n));
  const across = within(from.panel * cols + from.col + dx, at.grids.length * cols);
  return { panel: Math.floor(across / cols), row: within(from.row + dy, rows), col: across % cols };
}

export function box(at: TokensLayout, spot: Spot): Box {
  return cellBox(at.grids[spot.panel]!, spot.row, spot.col);
}

export function read(figure: FigureData, spot: Spot, chosen: Choice): Reading {
  const tokens = data(figure, chosen);
  const metric = metricOf(tokens, chosen.show);
  const columns = columnsOf(tokens, spot.panel);
  const i = (spot.panel * tokens.rows.labels.length + spot.row) * columns.labels.length + spot.col;
  const target = tokens.target[spot.col];
  const facts = tokens.metrics
    .filter((m) => m !== metric)
    .map((m) => ({ name: m.label, value: valueOf(figure, m, i) }));
  if (target) facts.unshift({ name: 'target token', value: tokenText(target) });
  const run = tokens.panels?.[spot.panel]?.title;
  const lens = lensOf(tokens, chosen.colour);
  return {
    title: `${run ? `${run} · ` : ''}${lens?.suffix ? `${lens.label} · ` : ''}${tokens.rows.name} ${tokens.rows.labels[spot.row]} · ${columns.name} ${spot.col}`,
    token: { text: tokenText(columns.labels[spot.col] ?? ''), role: columns.roles?.[spot.col] ?? '' },
    label: metric.label,
    value: valueOf(figure, metric, i),
    facts,
    best: bestTokens(figure, tokens, i),
  };
}

function valueOf(figure: FigureData, metric: TokenMetric, i: number): string {
  const { data: values, state } = figure.numbers(metric.values);
  const s = state?.[i] ?? DONE;
  if (s === PENDING) return 'not computed yet';
  if (s === BLANK) return 'does not exist';
  const scale = figure.scale(metric.scale);
  return [format(scale.format, values[i]!), scale.unit].filter(Boolean).join(' ');
}

function bestTokens(figure: FigureData, tokens: Tokens, i: number): Reading['best'] {
  const text = figure.words(tokens.top_tokens);
  const k = text?.shape.at(-1) ?? 0;
  if (!text || k === 0) return [];
  const values = figure.numbers(tokens.top_values);
  if (values.state?.[i * k] === PENDING) return [];
  return Array.from({ length: k }, (_, n) => {
    const share = values.data[i * k + n]!;
    return { text: tokenText(text.values[i * k + n] ?? ''), share, value: format('%.3f', share) };
  });
}
