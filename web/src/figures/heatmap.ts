// Heatmap panels that share one scale, abreast where they fit. Panels of very
// many cells are tiles of a whole number of pixels a cell.
import type { Heatmap, Panel } from '../api/types.gen';
import { NARROW, chipPitch, drawColumns, drawRows, gutterWidth, isPrompt, labelOf } from './axis';
import { WRITE_FROM, position } from './colour';
import { format } from './format';
import { errorFacts } from './interval';
import { cellAt, cellBox, drawCells, drawFrame, drawRing, type Grid } from './grid';
import { drawKey, keyHeight, namesOf } from './key';
import { SUMS, drawSums } from './sums';
import { BLANK, DONE, PENDING, type FigureData } from './live';
import { FONT, fit, type Box, type Choice, type Layout, type Measure, type Reading, type Room, type Spot, type View } from './painter';
import { openingOf, pairsOf, typical, valueOf } from './pairs';
import { ordered } from './phase';
import { SMALL } from './plotaxes';
import { drawTileAxes, drawTiles, isTiles, pitchOf, tileGutter } from './tiles';

export interface HeatmapLayout extends Layout {
  grids: Grid[];
  /** Where the colour key stands. */
  keyY: number;
  keyWidth: number;
  measure: Measure;
  mini: boolean;
  /** True when cells are a few whole pixels. */
  tiles: boolean;
  keyless: boolean;
  /** True when the rows' axis has its name beside it. */
  named: boolean;
}

const TITLE = FONT.ui(12.5, 600);
const TITLE_HEIGHT = 22;
const COLUMN_LABELS = 30;
const BETWEEN = 26;
/** The name of an axis that is no prompt, under its labels. */
const COLUMN_NAME = 16;
/** The name of the rows' axis, above them where it has no room beside them. */
const ROW_NAME = 15;
const NAME_LEFT = 30;
/** Tiles stand closer. */
const APART = 12;
/** So few tiles stand abreast that each is at least so wide; one alone in its row because of this is at most so high. */
const SMALL_TILE = { wide: 150, high: 260 };
/** What a card takes beside a map: that of a head has pictures abreast where a map of this pitch leaves room. */
const CARD = 320;
const HEAD_CARD = 476;
const HEAD_PITCH = 52;

function data(figure: FigureData): Heatmap {
  return figure.figure.heatmap!;
}

/** Whether the columns' name is written: a prompt's tokens say what they are. */
function isNamed({ columns }: Panel): boolean {
  return columns.name !== '' && !isPrompt(columns);
}

function drawColumnName(ctx: CanvasRenderingContext2D, g: Grid, name: string, view: View): void {
  ctx.font = SMALL;
  ctx.fillStyle = view.inks.mute;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  ctx.fillText(name, g.x + (g.cols * g.pitchX) / 2, g.y + g.rows * g.pitchY + COLUMN_LABELS);
}

/** The name of the rows' axis above their labels. */
function drawRowName(ctx: CanvasRenderingContext2D, g: Grid, name: string, view: View): void {
  ctx.font = SMALL;
  ctx.fillStyle = view.inks.mute;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  ctx.fillText(name, Math.max(0, g.x - NAME_LEFT), g.y - ROW_NAME / 2 - 1);
}

/** The narrowest pitch at which a panel can still be read. */
function least(panel: Panel, measure: Measure): number {
  const n = panel.columns.labels.length;
  if (isPrompt(panel.columns)) return Math.max(n <= 12 ? 44 : 0, chipPitch(panel.columns, measure));
  return n <= 24 ? 26 : 6;
}

export function layout(figure: FigureData, room: Room): HeatmapLayout {
  const mini = room.mini !== undefined;
  const all = data(figure).panels;
  const panels = mini ? all.slice(0, 1) : all;
  const tiles = panels.every((p) => isTiles(p.rows.labels.length, p.columns.labels.length));
  const { grids, width, y } = tiles ? arrangeTiles(panels, room) : arrangeCells(panels, room);
  const { scale, arrays, names } = keyOf(figure);
  const keyless = mini || (room.keyless ?? false);
  const keyWidth = usable(panels, room) - grids[0]!.x;
  const key = keyless ? 0 : keyHeight(scale, arrays, keyWidth, room.measure, names);
  return { width, height: mini ? room.mini! : Math.ceil(y + key), grids, keyY: y, keyWidth, measure: room.measure, mini, tiles, keyless, named: room.width >= NARROW };
}

/** The width for maps: one small map leaves room for its card, which stands beside it. */
function usable(panels: Panel[], room: Room): number {
  const alone = panels.length === 1 && panels[0]!.open && panels[0]!.columns.labels.length <= 16;
  if (!alone || room.width < 700 || room.tall) return room.width;
  const { columns, rows, sums, heads } = panels[0]!;
  const map = gutterWidth(rows, room.measure, true) + (sums ? SUMS : 0) + columns.labels.length * HEAD_PITCH + 12;
  return room.width - (heads ? Math.max(CARD, Math.min(HEAD_CARD, room.width - map)) : CARD);
}

interface Arranged {
  grids: Grid[];
  width: number;
  y: number;
}

function arrangeCells(panels: Panel[], room: Room): Arranged {
  const mini = room.mini !== undefined;
  const gutters = panels.map((p) => gutterWidth(p.rows, room.measure, !mini && room.width >= NARROW));
  const margins = panels.map((p) => (p.sums && !mini ? SUMS : 0));
  const need = panels.map((p, i) => gutters[i]! + margins[i]! + p.columns.labels.length * (mini ? 1 : least(p, room.measure)));
  const abreast = fitting(need, room.width, BETWEEN);
  const slot = (usable(panels, room) - BETWEEN * (abreast - 1)) / abreast;
  const grids: Grid[] = [];
  const head = (panels.some((p) => p.title) ? TITLE_HEIGHT : 4) + (mini || room.width >= NARROW ? 0 : ROW_NAME);
  const foot = COLUMN_LABELS + (panels.some(isNamed) ? COLUMN_NAME : 0);
  let y = mini ? 8 : 0;
  let width = room.width;
  for (let first = 0; first < panels.length; first += abreast) {
    let tallest = 0;
    for (let i = first; i < Math.min(first + abreast, panels.length); i++) {
      const panel = panels[i]!;
      const rows = panel.rows.labels.length;
      const cols = panel.columns.labels.length;
      const fits = (slot - gutters[i]! - margins[i]! - 2) / cols;
      const floor = mini ? 1 : fits >= 40 ? 40 : least(panel, room.measure);
      const pitchX = Math.max(floor, Math.min(room.tall ? 240 : cols <= 12 ? 120 : 60, fits));
      const usual = rows > 64 ? 8 : rows > 32 ? 18 : Math.min(34, Math.max(24, pitchX));
      const filling = room.tall ? Math.min(72, (room.tall * abreast) / panels.length / rows - 12) : 0;
      const pitchY = mini ? (room.mini! - 36) / rows : Math.max(usual, filling);
      const x = (i - first) * (slot + BETWEEN) + gutters[i]!;
      grids.push({ x, y: y + (mini ? 0 : head), rows, cols, pitchX, pitchY });
      tallest = Math.max(tallest, rows * pitchY);
      width = Math.max(width, Math.ceil(x + cols * pitchX + margins[i]! + 2));
    }
    y += head + tallest + foot + (first + abreast < panels.length ? 12 : 0);
  }
  return { grids, width, y };
}

/** Tiles of one pitch, abreast where two fit; on a narrow screen all in one row, which scrolls. */
function arrangeTiles(panels: Panel[], room: Room): Arranged {
  const mini = room.mini !== undefined;
  const gutter = Math.max(...panels.map((p) => tileGutter(p.rows, room.measure)));
  const rows = Math.max(...panels.map((p) => p.rows.labels.length));
  const cols = Math.max(...panels.map((p) => p.columns.labels.length));
  if (mini) {
    const pitch = pitchOf(rows, cols, room.width - gutter, room.mini! - 30, 1);
    const x = Math.max(gutter, Math.round((room.width - cols * pitch + gutter) / 2));
    const y = Math.max(6, Math.round((room.mini! - 22 - rows * pitch) / 2));
    return { grids: [{ x, y, rows, cols, pitchX: pitch, pitchY: pitch }], width: room.width, y: 0 };
  }
  const pitchAt = (abreast: number) => pitchOf(rows, cols, (room.width - APART * (abreast - 1)) / abreast - gutter - 2);
  const most = fitting(panels.map((p) => gutter + 2 * p.columns.labels.length), room.width, APART);
  let fits = most;
  while (fits > 1 && pitchAt(fits) * cols < SMALL_TILE.wide) fits--;
  const small = fits < most;
  const abreast = most === 1 && panels.length > 1 && room.width < gutter + 4 * cols ? panels.length : fits;
  const slot = fits === abreast ? (room.width - APART * (abreast - 1)) / abreast : gutter + 2 * cols;
  const high = room.tall ? ((room.tall * abreast) / panels.length) - TITLE_HEIGHT - COLUMN_LABELS : small ? SMALL_TILE.high : undefined;
  const pitch = pitchOf(rows, cols, slot - gutter - 2, high);
  const step = fits === abreast && abreast > 1 ? gutter + cols * pitch + APART : slot + APART;
  const grids: Grid[] = [];
  let y = 0;
  let width = room.width;
  panels.forEach((panel, i) => {
    const x = Math.round((i % abreast) * step + gutter);
    const line = Math.floor(i / abreast);
    y = line * (TITLE_HEIGHT + rows * pitch + COLUMN_LABELS + 8);
    const grid = { x, y: y + TITLE_HEIGHT, rows: panel.rows.labels.length, cols: panel.columns.labels.length, pitchX: pitch, pitchY: pitch };
    grids.push(grid);
    width = Math.max(width, x + grid.cols * pitch + 2);
  });
  return { grids, width, y: y + TITLE_HEIGHT + rows * pitch + COLUMN_LABELS + 4 };
}

function keyOf(figure: FigureData) {
  const { scale: name, panels } = data(figure);
  const scale = figure.scale(name);
  return { scale, arrays: panels.map((p) => figure.whole(p.values)), names: namesOf(figure, scale) };
}

/** How many panels stand abreast: as many as fit, evenly. */
function fitting(need: number[], width: number, between: number): number {
  for (let n = need.length; n > 1; n--) {
    const slot = (width - between * (n - 1)) / n;
    if (need.every((w) => w <= slot)) return n;
  }
  return 1;
}

export function draw(ctx: CanvasRenderingContext2D, figure: FigureData, at: HeatmapLayout, view: View): boolean {
  const heat = data(figure);
  const scale = figure.scale(heat.scale);
  const limit = Math.max(Math.abs(scale.lo), Math.abs(scale.hi));
  let fading = false;
  at.grids.forEach((grid, p) => {
    const { panel, numbers } = ordered(figure, heat.panels[p]!, view.chosen);
    if (at.tiles) {
      drawTiles(ctx, grid, numbers, scale, view);
      drawTileAxes(ctx, grid, panel.rows, panel.columns, view, at.measure, at.mini);
    } else {
      const label = (i: number) => {
        const v = numbers.data[i]!;
        const text = format(scale.format, v);
        const fits = at.measure(text, FONT.mono(13)) <= grid.pitchX - 6;
        const written = scale.kind === 'log' ? position(scale, v) >= WRITE_FROM : Math.abs(v) >= WRITE_FROM * limit;
        return fits && written ? text : '';
      };
      if (drawCells(ctx, grid, numbers, scale, view, at.measure, at.mini ? null : label)) fading = true;
      drawRows(ctx, grid, at.named ? panel.rows : { ...panel.rows, name: '' }, view, at.measure, at.mini ? 5 : Infinity);
      drawColumns(ctx, grid, panel.columns, view, at.measure, at.mini ? 5 : Infinity);
      if (!at.mini && !at.named) drawRowName(ctx, grid, panel.rows.name, view);
      if (!at.mini && isNamed(panel)) drawColumnName(ctx, grid, panel.columns.name, view);
      if (panel.sums && !at.mini) drawSums(ctx, grid, numbers, view);
    }
    for (const i of panel.ring ?? []) drawRing(ctx, cellBox(grid, Math.floor(i / grid.cols), i % grid.cols), view);
    const above = at.named || at.tiles ? grid.y : grid.y - ROW_NAME;
    if (!at.mini) drawTitle(ctx, grid, above, panel.title, view, at.measure);
  });
  const left = at.grids[0]!.x;
  const { names } = keyOf(figure);
  const now = heat.panels.map((p) => figure.numbers(p.values));
  if (!at.keyless) drawKey(ctx, left, at.keyY, at.keyWidth, scale, now, view, at.measure, names);
  if (view.pinned) drawFrame(ctx, box(at, view.pinned), { ...view, locked: true });
  if (view.spot) drawFrame(ctx, box(at, view.spot), view);
  return fading;
}

function drawTitle(ctx: CanvasRenderingContext2D, g: Grid, top: number, title: string, view: View, measure: Measure): void {
  ctx.font = TITLE;
  ctx.fillStyle = view.inks.ink;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  ctx.fillText(fit(measure, title, TITLE, Math.max(60, g.cols * g.pitchX)), g.x, top - TITLE_HEIGHT / 2 - 1);
}

export function hit(at: HeatmapLayout, x: number, y: number): Spot | null {
  for (const [panel, grid] of at.grids.entries()) {
    const cell = cellAt(grid, x, y);
    if (cell) return { panel, ...cell };
  }
  return null;
}

/** One step; past the left or right edge it goes on in the next panel. */
export function step(at: HeatmapLayout, from: Spot | null, dx: number, dy: number): Spot {
  if (!from) return { panel: 0, row: at.grids[0]!.rows - 1, col: 0 };
  let { panel } = from;
  let col = from.col + dx;
  if (col < 0 && panel > 0) col += at.grids[--panel]!.cols;
  else if (col >= at.grids[panel]!.cols && panel < at.grids.length - 1) col -= at.grids[panel++]!.cols;
  const grid = at.grids[panel]!;
  const within = (n: number, size: number) => Math.min(size - 1, Math.max(0, n));
  return { panel, row: within(from.row + dy, grid.rows), col: within(col, grid.cols) };
}

export function box(at: HeatmapLayout, spot: Spot): Box {
  return cellBox(at.grids[spot.panel]!, spot.row, spot.col);
}

/** Where the maps end at the right. */
export function extent(at: HeatmapLayout, figure: FigureData): number {
  return Math.max(...at.grids.map((g, i) => g.x + g.cols * g.pitchX + (data(figure).panels[i]?.sums ? SUMS : 0)));
}

export function read(figure: FigureData, spot: Spot, chosen: Choice): Reading {
  const heat = data(figure);
  const { panel, numbers, place } = ordered(figure, heat.panels[spot.panel]!, chosen);
  const scale = figure.scale(heat.scale);
  const i = spot.row * panel.columns.labels.length + spot.col;
  const { data: values, state } = numbers;
  const s = state?.[i] ?? DONE;
  const unit = scale.unit ? ` ${scale.unit}` : '';
  const value = s === PENDING ? 'not computed yet' : s === BLANK ? 'does not exist' : format(scale.format, values[i]!) + unit;
  const facts = panel.title ? [{ name: 'panel', value: panel.title }] : [];
  if (panel.errors && s === DONE) {
    const error = figure.numbers(panel.errors).data[place(i)]!;
    facts.push(...errorFacts(figure.figure.interval, values[i]!, error, scale.format, unit));
  }
  const pairs = s === DONE ? pairsOf(figure, panel, place(i), scale.format) : undefined;
  const token = isPrompt(panel.columns)
    ? { text: labelOf(panel.columns, spot.col), role: panel.columns.roles?.[spot.col] ?? ('' as const) }
    : undefined;
  const column = token ? spot.col : labelOf(panel.columns, spot.col);
  return {
    title: `${panel.rows.name} ${labelOf(panel.rows, spot.row)} · ${panel.columns.name} ${column}`,
    token,
    label: scale.label || figure.figure.title,
    value,
    facts,
    best: [],
    pairs,
    open: s === DONE ? openingOf(panel, spot.row, spot.col, pairs) : undefined,
    head: s === DONE && panel.heads ? { prompt: typical(pairs), note: panel.heads.note ?? '' } : undefined,
    value_of: s === DONE ? valueOf(panel, spot, pairs) : undefined,
  };
}
