// A grid of cells: geometry, and how a number becomes a cell. Token grids and
// heatmaps share it. Row 0 is at the bottom.
import type { Scale } from '../api/types.gen';
import { GLYPHS, HATCH, clipped, colourOf, contrast, textOn } from './colour';
import { BLANK, DONE, PENDING, type Numbers } from './live';
import { FONT, fit, type Box, type Measure, type View } from './painter';

/** A grid's place: x, y of its top left corner, and the pitch of its cells. */
export interface Grid {
  x: number;
  y: number;
  rows: number;
  cols: number;
  pitchX: number;
  pitchY: number;
}

/** Cells fade in within this many milliseconds. */
const FADE = 120;

/** How much of its colour a faded cell keeps. */
const FADED = 0.25;

/** The white between cells: none where cells are a few pixels. */
function gap(g: Grid): number {
  const small = Math.min(g.pitchX, g.pitchY);
  return small >= 18 ? 3 : small >= 7 ? 1 : 0;
}

export function cellBox(g: Grid, row: number, col: number): Box {
  const space = gap(g);
  return {
    x: g.x + col * g.pitchX,
    y: g.y + (g.rows - 1 - row) * g.pitchY,
    w: g.pitchX - space,
    h: g.pitchY - space,
  };
}

/** The columns that show in a run of x: the first, and the one after the last. */
export function columnsIn(g: Grid, from: number, to: number): [number, number] {
  const first = Math.max(0, Math.floor((from - g.x) / g.pitchX));
  return [first, Math.max(first, Math.min(g.cols, Math.ceil((to - g.x) / g.pitchX)))];
}

/** The cell under a point; the white to its right and below belongs to it. */
export function cellAt(g: Grid, x: number, y: number): { row: number; col: number } | null {
  const col = Math.floor((x - g.x) / g.pitchX);
  const fromTop = Math.floor((y - g.y) / g.pitchY);
  if (!(col >= 0 && col < g.cols && fromTop >= 0 && fromTop < g.rows)) return null;
  return { row: g.rows - 1 - fromTop, col };
}

function trace(path: Path2D, b: Box): void {
  const r = Math.min(4, b.w / 4, b.h / 4);
  if (r >= 1) path.roundRect(b.x, b.y, b.w, b.h, r);
  else path.rect(b.x, b.y, b.w, b.h);
}

/** Hatches the union of boxes with one run of diagonals over the frame that holds them. */
export function drawHatched(ctx: CanvasRenderingContext2D, boxes: Box[], frame: Box, view: View): void {
  const path = new Path2D();
  for (const b of boxes) trace(path, b);
  hatchPath(ctx, path, frame, view);
}

/** Hatches a path within the frame that holds it. */
export function hatchPath(ctx: CanvasRenderingContext2D, path: Path2D, frame: Box, view: View): void {
  ctx.save();
  ctx.lineWidth = HATCH.width;
  ctx.strokeStyle = view.inks.line2;
  ctx.stroke(path);
  ctx.clip(path);
  ctx.strokeStyle = view.inks.edge;
  ctx.globalAlpha = 0.45;
  ctx.beginPath();
  const step = HATCH.step * Math.SQRT2;
  for (let d = 0; d < frame.w + frame.h; d += step) {
    ctx.moveTo(frame.x + d, frame.y);
    ctx.lineTo(frame.x + d - frame.h, frame.y + frame.h);
  }
  ctx.stroke();
  ctx.restore();
}

/** What stands in a cell: the text, its font, whether it is a glyph for NaN or infinity. */
export type Label = (index: number) => string;

/** How much a cell has faded in, 0..1. */
function presence(n: Numbers, i: number, now: number): number {
  const at = n.arrived?.[i] ?? 0;
  return at === 0 ? 1 : Math.min(1, Math.max(0, (now - at) / FADE));
}

/**
 * Draws the cells of a grid in row-major order. Pending cells are hatched,
 * blank ones left out, NaN and infinities outlined with their own glyph, and
 * a value beyond the limits gets a notch; faded cells only repeat another run.
 * Returns true while a cell fades in.
 */
export function drawCells(
  ctx: CanvasRenderingContext2D,
  g: Grid,
  numbers: Numbers,
  scale: Scale,
  view: View,
  measure: Measure,
  label: Label | null,
  faded?: (index: number) => boolean,
): boolean {
  const waiting: Box[] = [];
  let fading = false;
  const shown: { box: Box; i: number; alpha: number }[] = [];
  const [first, end] = columnsIn(g, view.from, view.to);
  for (let row = 0; row < g.rows; row++) {
    for (let col = first; col < end; col++) {
      const i = row * g.cols + col;
      const state = numbers.state?.[i] ?? DONE;
      if (state === BLANK) continue;
      const box = cellBox(g, row, col);
      const alpha = state === PENDING ? 0 : presence(numbers, i, view.now);
      if (alpha < 1) waiting.push(box);
      if (state === PENDING) continue;
      if (alpha < 1) fading = true;
      shown.push({ box, i, alpha });
    }
  }
  // The frame begins at a whole number of steps, so that the hatch stands still while it scrolls.
  const frame = { x: g.x, y: g.y, w: (end + 1) * g.pitchX, h: g.rows * g.pitchY };
  if (waiting.length > 0) drawHatched(ctx, waiting, frame, view);
  const px = Math.min(13, Math.floor(g.pitchY * 0.62));
  const font = FONT.mono(px);
  ctx.font = font;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  for (const { box, i, alpha } of shown) {
    ctx.globalAlpha = alpha;
    drawCell(ctx, box, numbers.data[i]!, scale, view, px >= 9 ? (label?.(i) ?? '') : '', font, measure, faded?.(i) ?? false);
  }
  ctx.globalAlpha = 1;
  return fading;
}

function drawCell(
  ctx: CanvasRenderingContext2D,
  b: Box,
  value: number,
  scale: Scale,
  view: View,
  text: string,
  font: string,
  measure: Measure,
  faded: boolean,
): void {
  const path = new Path2D();
  trace(path, b);
  const middle = b.y + b.h / 2 + 0.5;
  if (!Number.isFinite(value)) {
    ctx.fillStyle = view.inks.warn_bg;
    ctx.fill(path);
    ctx.strokeStyle = view.inks.warn;
    ctx.lineWidth = 1;
    ctx.stroke(path);
    ctx.fillStyle = view.inks.warn;
    const glyph = Number.isNaN(value) ? GLYPHS.nan : value > 0 ? GLYPHS.inf : GLYPHS.neg_inf;
    if (measure(glyph, font) <= b.w - 2 && b.h >= 12) ctx.fillText(glyph, b.x + b.w / 2, middle);
    else cross(ctx, b);
    return;
  }
  const fill = colourOf(scale, value, view.theme);
  ctx.fillStyle = fill;
  if (faded) {
    const { globalAlpha } = ctx;
    ctx.globalAlpha = globalAlpha * FADED;
    ctx.fill(path);
    ctx.globalAlpha = globalAlpha;
  } else ctx.fill(path);
  // A value near zero has the card's colour: a thin frame says that it is there.
  if (Math.min(b.w, b.h) >= 8 && contrast(fill, view.inks.card) < 1.13) {
    ctx.strokeStyle = view.inks.line;
    ctx.lineWidth = 1;
    ctx.stroke(path);
  }
  const over = clipped(scale, value);
  if (text === '' && over === 0) return;
  ctx.fillStyle = faded ? view.inks.soft : textOn(fill);
  if (text !== '') ctx.fillText(fit(measure, text, font, b.w - 4), b.x + b.w / 2, middle);
  if (over !== 0 && b.w >= 10) drawNotch(ctx, b, over);
}

/** Two strokes for a number that is none, where its glyph does not fit. */
function cross(ctx: CanvasRenderingContext2D, b: Box): void {
  ctx.beginPath();
  ctx.moveTo(b.x, b.y);
  ctx.lineTo(b.x + b.w, b.y + b.h);
  ctx.moveTo(b.x + b.w, b.y);
  ctx.lineTo(b.x, b.y + b.h);
  ctx.stroke();
}

/** A triangle in the right corner: above for beyond hi, below for beyond lo. */
export function drawNotch(ctx: CanvasRenderingContext2D, b: Box, side: 1 | -1): void {
  const right = b.x + b.w - 1;
  const edge = side === 1 ? b.y + 1 : b.y + b.h - 1;
  ctx.beginPath();
  ctx.moveTo(right - 5, edge);
  ctx.lineTo(right, edge);
  ctx.lineTo(right, edge + 5 * side);
  ctx.fill();
}

/** Frames a cell: brass when it is locked, ink when it is only pointed at. */
export function drawFrame(ctx: CanvasRenderingContext2D, b: Box, view: View): void {
  ctx.strokeStyle = view.locked ? view.inks.brass : view.inks.ink;
  ctx.lineWidth = view.locked ? 2 : 1.5;
  ctx.beginPath();
  ctx.roundRect(b.x - 1, b.y - 1, b.w + 2, b.h + 2, Math.min(5, b.w / 3));
  ctx.stroke();
}

/** Rings a cell that stands for the account which was chosen. */
export function drawRing(ctx: CanvasRenderingContext2D, b: Box, view: View): void {
  ctx.strokeStyle = view.inks.brass;
  ctx.lineWidth = 2.5;
  ctx.beginPath();
  ctx.roundRect(b.x - 1.5, b.y - 1.5, b.w + 3, b.h + 3, 6);
  ctx.stroke();
}
