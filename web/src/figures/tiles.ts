// Tiles: grids of so many cells that each is a few pixels, always a whole
// number of them. One image a grid, so that a slider moves many at once.
import type { Axis, Scale } from '../api/types.gen';
import { labelOf } from './axis';
import { position, rampAt, type Theme } from './colour';
import type { Grid } from './grid';
import { BLANK, DONE, type Numbers } from './live';
import type { Measure, View } from './painter';
import { SMALL } from './plotaxes';

/** From so many rows and columns on a grid is drawn as tiles. */
const MANY = 40;
/** Pixels a cell: the least that can be seen, the most that is of use. */
const LEAST = 2;
const HIGHEST = 480;

export function isTiles(rows: number, columns: number): boolean {
  return rows >= MANY && columns >= MANY;
}

/** Whole pixels a cell for a width: as many as fit, within what is of use. */
export function pitchOf(rows: number, columns: number, width: number, high = HIGHEST, least = LEAST): number {
  const fits = Math.min(Math.floor(width / columns), Math.floor(high / rows));
  return Math.max(least, fits);
}

/** Colours of a scale at this many positions, as bytes. */
const STEPS = 1024;
const ramps = new WeakMap<Scale, Map<Theme, Uint32Array>>();

function rampOf(scale: Scale, theme: Theme): Uint32Array {
  let themes = ramps.get(scale);
  if (!themes) ramps.set(scale, (themes = new Map()));
  let ramp = themes.get(theme);
  if (!ramp) {
    ramp = Uint32Array.from({ length: STEPS + 1 }, (_, i) => pixel(rampAt(scale, i / STEPS, theme)));
    themes.set(theme, ramp);
  }
  return ramp;
}

/** "#rrggbb" as the four bytes of ImageData, which are little-endian ABGR. */
export function pixel(hex: string): number {
  const n = Number.parseInt(hex.slice(1), 16);
  return ((255 << 24) | ((n & 255) << 16) | (n & 0xff00) | (n >> 16)) >>> 0;
}

/** The pixels of a grid, one a cell, the top row first. */
export function pixelsOf(rows: number, cols: number, numbers: Numbers, scale: Scale, view: Pick<View, 'theme' | 'inks'>): Uint32Array {
  const out = new Uint32Array(rows * cols);
  const ramp = rampOf(scale, view.theme);
  const none = pixel(view.inks.warn);
  const [hatch, gap] = [pixel(view.inks.line2), pixel(view.inks.card)];
  for (let row = 0; row < rows; row++) {
    for (let col = 0; col < cols; col++) {
      const i = row * cols + col;
      const state = numbers.state?.[i] ?? DONE;
      const value = numbers.data[i]!;
      const to = (rows - 1 - row) * cols + col;
      if (state === DONE) out[to] = Number.isFinite(value) ? ramp[Math.round(position(scale, value) * STEPS)]! : none;
      else if (state !== BLANK) out[to] = (row + col) % 4 === 0 ? hatch : gap;
    }
  }
  return out;
}

const sheets = new WeakMap<CanvasRenderingContext2D, HTMLCanvasElement>();

/** Draws a grid's cells and a thin frame around them. */
export function drawTiles(ctx: CanvasRenderingContext2D, g: Grid, numbers: Numbers, scale: Scale, view: View): void {
  let sheet = sheets.get(ctx);
  if (!sheet) sheets.set(ctx, (sheet = document.createElement('canvas')));
  sheet.width = g.cols;
  sheet.height = g.rows;
  const pixels = pixelsOf(g.rows, g.cols, numbers, scale, view);
  sheet.getContext('2d')!.putImageData(new ImageData(new Uint8ClampedArray(pixels.buffer as ArrayBuffer), g.cols, g.rows), 0, 0);
  ctx.imageSmoothingEnabled = false;
  ctx.drawImage(sheet, g.x, g.y, g.cols * g.pitchX, g.rows * g.pitchY);
  ctx.strokeStyle = view.inks.line2;
  ctx.lineWidth = 1;
  ctx.strokeRect(g.x - 0.5, g.y - 0.5, g.cols * g.pitchX + 1, g.rows * g.pitchY + 1);
}

/** Every how many labels one is written: a round number, so that they can be counted on. */
function every(count: number, pitch: number, needed: number): number {
  return [1, 2, 5, 10, 20, 50, 100, 200, 500].find((e) => e * pitch >= needed) ?? count;
}

/** The gutter of tiles at the left: labels and the axis' name upright before them. */
export function tileGutter(axis: Axis, measure: Measure): number {
  return Math.ceil(Math.max(...axis.labels.map((l) => measure(l, SMALL)))) + 10 + (axis.name ? 14 : 0);
}

/** Round labels at the left and below, and the axes' names. */
export function drawTileAxes(ctx: CanvasRenderingContext2D, g: Grid, rows: Axis, columns: Axis, view: View, measure: Measure, mini: boolean): void {
  const [wide, high] = [g.cols * g.pitchX, g.rows * g.pitchY];
  ctx.font = SMALL;
  ctx.fillStyle = view.inks.soft;
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'right';
  const down = every(g.rows, g.pitchY, mini ? high / 2.4 : 34);
  for (let row = 0; row < g.rows; row += down) ctx.fillText(labelOf(rows, row), g.x - 6, g.y + (g.rows - row - 0.5) * g.pitchY);
  ctx.textAlign = 'center';
  const across = every(g.cols, g.pitchX, mini ? wide / 2.4 : 44);
  const foot = g.y + high + 11;
  for (let col = 0; col < g.cols; col += across) ctx.fillText(labelOf(columns, col), g.x + (col + 0.5) * g.pitchX, foot);
  if (mini) return;
  ctx.fillStyle = view.inks.mute;
  ctx.textAlign = 'right';
  const name = columns.name;
  const lastLabel = Math.floor((g.cols - 1) / across) * across;
  const free = wide - (lastLabel + 0.5) * g.pitchX - measure(labelOf(columns, lastLabel), SMALL) / 2 - 6;
  if (free >= measure(name, SMALL)) ctx.fillText(name, g.x + wide, foot);
  else ctx.fillText(name, g.x + wide, foot + 13);
  ctx.save();
  ctx.translate(g.x - tileGutter(rows, measure) + 6, g.y + high / 2);
  ctx.rotate(-Math.PI / 2);
  ctx.textAlign = 'center';
  ctx.fillText(rows.name, 0, 0);
  ctx.restore();
}
