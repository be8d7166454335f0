// Heatmap panels that share one scale, abreast where they fit.
import type { Heatmap, Panel } from '../api/types.gen';
import { NARROW, chipPitch, drawColumns, drawRows, gutterWidth, isPrompt, labelOf } from './axis';
import { WRITE_FROM, position } from './colour';
import { format } from './format';
import { cellAt, cellBox, drawCells, drawFrame, type Grid } from './grid';
import { drawKey, keyHeight } from './key';
import { BLANK, DONE, PENDING, type LiveFigure } from './live';
import { FONT, fit, type Box, type Layout, type Measure, type Reading, type Room, type Spot, type View } from './painter';

export interface HeatmapLayout extends Layout {
  grids: Grid[];
  /** Where the colour key stands. */
  keyY: number;
  measure: Measure;
  mini: boolean;
}

const TITLE = FONT.ui(12.5, 600);
const TITLE_HEIGHT = 22;
const COLUMN_LABELS = 30;
const BETWEEN = 26;

function data(figure: LiveFigure): Heatmap {
  return figure.figure.heatmap!;
}

/** The narrowest pitch at which a panel can still be read. */
function least(panel: Panel, measure: Measure): number {
  const n = panel.columns.labels.length;
  if (isPrompt(panel.columns)) return Math.max(n <= 12 ? 44 : 0, chipPitch(panel.columns, measure));
  return n <= 24 ? 26 : 6;
}

export function layout(figure: LiveFigure, room: Room): HeatmapLayout {
  const mini = room.mini !== undefined;
  const panels = mini ? data(figure).panels.slice(0, 1) : data(figure).panels;
  const gutters = panels.map((p) => gutterWidth(p.rows, room.measure, !mini && room.width >= NARROW));
  const need = panels.map((p, i) => gutters[i]! + p.columns.labels.length * (mini ? 1 : least(p, room.measure)));
  const abreast = fitting(need, room.width, BETWEEN);
  const slot = (room.width - BETWEEN * (abreast - 1)) / abreast;
  const grids: Grid[] = [];
  let y = mini ? 8 : 0;
  let width = room.width;
  for (let first = 0; first < panels.length; first += abreast) {
    let tallest = 0;
    for (let i = first; i < Math.min(first + abreast, panels.length); i++) {
      const panel = panels[i]!;
      const rows = panel.rows.labels.length;
      const cols = panel.columns.labels.length;
      const fits = (slot - gutters[i]! - 2) / cols;
      const floor = mini ? 1 : fits >= 40 ? 40 : least(panel, room.measure);
      const pitchX = Math.max(floor, Math.min(room.tall ? 240 : cols <= 12 ? 120 : 60, fits));
      const usual = rows > 64 ? 8 : rows > 32 ? 18 : Math.min(34, Math.max(24, pitchX));
      const filling = room.tall ? Math.min(72, (room.tall * abreast) / panels.length / rows - 12) : 0;
      const pitchY = mini ? (room.mini! - 36) / rows : Math.max(usual, filling);
      const x = (i - first) * (slot + BETWEEN) + gutters[i]!;
      grids.push({ x, y: y + (mini ? 0 : TITLE_HEIGHT), rows, cols, pitchX, pitchY });
      tallest = Math.max(tallest, rows * pitchY);
      width = Math.max(width, Math.ceil(x + cols * pitchX + 2));
    }
    y += TITLE_HEIGHT + tallest + COLUMN_LABELS + (first + abreast < panels.length ? 12 : 0);
  }
  const { scale, arrays } = keyOf(figure);
  const height = mini ? room.mini! : Math.ceil(y + keyHeight(scale, arrays, room.width - grids[0]!.x, room.measure));
  return { width, height, grids, keyY: y, measure: room.measure, mini };
}

function keyOf(figure: LiveFigure) {
  const { scale, panels } = data(figure);
  return { scale: figure.scale(scale), arrays: panels.map((p) => figure.numbers(p.values)) };
}

/** How many panels stand abreast: as many as fit, evenly. */
function fitting(need: number[], width: number, between: number): number {
  for (let n = need.length; n > 1; n--) {
    const slot = (width - between * (n - 1)) / n;
    if (need.every((w) => w <= slot)) return n;
  }
  return 1;
}

export function draw(ctx: CanvasRenderingContext2D, figure: LiveFigure, at: HeatmapLayout, view: View): boolean {
  const heat = data(figure);
  const scale = figure.scale(heat.scale);
  const limit = Math.max(Math.abs(scale.lo), Math.abs(scale.hi));
  let fading = false;
  at.grids.forEach((grid, p) => {
    const panel = heat.panels[p]!;
    const numbers = figure.numbers(panel.values);
    const label = (i: number) => {
      const v = numbers.data[i]!;
      const text = format(scale.format, v);
      const fits = at.measure(text, FONT.mono(13)) <= grid.pitchX - 6;
      const written = scale.kind === 'log' ? position(scale, v) >= WRITE_FROM : Math.abs(v) >= WRITE_FROM * limit;
      return fits && written ? text : '';
    };
    if (drawCells(ctx, grid, numbers, scale, view, at.measure, at.mini ? null : label)) fading = true;
    drawRows(ctx, grid, panel.rows, view, at.measure, at.mini ? 5 : Infinity);
    drawColumns(ctx, grid, panel.columns, view, at.measure, at.mini ? 5 : Infinity);
    if (!at.mini) drawTitle(ctx, grid, panel.title, view, at.measure);
  });
  const left = at.grids[0]!.x;
  if (!at.mini) drawKey(ctx, left, at.keyY, at.width - left, scale, keyOf(figure).arrays, view, at.measure);
  if (view.spot) drawFrame(ctx, box(at, view.spot), view);
  return fading;
}

function drawTitle(ctx: CanvasRenderingContext2D, g: Grid, title: string, view: View, measure: Measure): void {
  ctx.font = TITLE;
  ctx.fillStyle = view.inks.ink;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  ctx.fillText(fit(measure, title, TITLE, Math.max(60, g.cols * g.pitchX)), g.x, g.y - TITLE_HEIGHT / 2 - 1);
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

export function read(figure: LiveFigure, spot: Spot): Reading {
  const heat = data(figure);
  const panel = heat.panels[spot.panel]!;
  const scale = figure.scale(heat.scale);
  const i = spot.row * panel.columns.labels.length + spot.col;
  const { data: values, state } = figure.numbers(panel.values);
  const s = state?.[i] ?? DONE;
  const unit = scale.unit ? ` ${scale.unit}` : '';
  const value = s === PENDING ? 'not computed yet' : s === BLANK ? 'does not exist' : format(scale.format, values[i]!) + unit;
  const facts = [{ name: 'panel', value: panel.title }];
  if (panel.errors && s === DONE) {
    const error = figure.numbers(panel.errors).data[i]!;
    facts.push({ name: 'standard error', value: format(scale.format, error) + unit });
  }
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
  };
}
