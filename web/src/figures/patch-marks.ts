// What a patch lens draws over its grids: the cone of what was moved, the cells
// it was moved between, the line between them, and which top tokens changed.
import type { TokenPatch, TokenResult } from '../api/types.gen';
import { cellBox, type Grid } from './grid';
import { DONE, type FigureData } from './live';
import type { Box, Spot, View } from './painter';

/** The result that a panel shows, if it shows one. */
export function resultOf(patch: TokenPatch | undefined, panel: number): TokenResult | undefined {
  return patch?.results?.find((r) => r.panel === panel);
}

/** Tells the cells of an array that hold 1. */
function marked(figure: FigureData, name: string, cols: number): (row: number, col: number) => boolean {
  const { data, state } = figure.numbers(name);
  return (row, col) => (state?.[row * cols + col] ?? DONE) === DONE && data[row * cols + col] === 1;
}

/** Tells the cells that only repeat the run that was patched. */
export function outside(figure: FigureData, result: TokenResult): (i: number) => boolean {
  const { data, state } = figure.numbers(result.cone);
  return (i) => (state?.[i] ?? DONE) === DONE && data[i] === 0;
}

/** Tints and outlines the cone, below the cells. */
export function drawCone(ctx: CanvasRenderingContext2D, g: Grid, figure: FigureData, result: TokenResult, view: View): void {
  const inCone = marked(figure, result.cone, g.cols);
  const within = (row: number, col: number) => row >= 0 && row < g.rows && col >= 0 && col < g.cols && inCone(row, col);
  const edges = new Path2D();
  const edge = (x1: number, y1: number, x2: number, y2: number) => {
    edges.moveTo(x1, y1);
    edges.lineTo(x2, y2);
  };
  ctx.fillStyle = view.inks.brass_bg;
  for (let row = 0; row < g.rows; row++) {
    for (let col = 0; col < g.cols; col++) {
      if (!within(row, col)) continue;
      // The white around the cell, half of it on each side.
      const b = cellBox(g, row, col);
      const gap = g.pitchX - b.w;
      const [l, t, r, d] = [b.x - gap / 2, b.y - gap / 2, b.x + b.w + gap / 2, b.y + b.h + gap / 2];
      ctx.fillRect(l, t, r - l, d - t);
      if (!within(row + 1, col)) edge(l, t, r, t);
      if (!within(row - 1, col)) edge(l, d, r, d);
      if (!within(row, col - 1)) edge(l, t, l, d);
      if (!within(row, col + 1)) edge(r, t, r, d);
    }
  }
  ctx.strokeStyle = view.inks.brass;
  ctx.lineWidth = 1.2;
  ctx.stroke(edges);
}

/** A notch in the corner of each cell whose top token changed. */
export function drawChanged(ctx: CanvasRenderingContext2D, g: Grid, figure: FigureData, result: TokenResult, view: View): void {
  const changed = marked(figure, result.changed, g.cols);
  ctx.fillStyle = view.inks.brass;
  ctx.strokeStyle = view.inks.card;
  ctx.lineWidth = 0.8;
  for (let row = 0; row < g.rows; row++) {
    for (let col = 0; col < g.cols; col++) {
      if (changed(row, col)) drawNotched(ctx, cellBox(g, row, col));
    }
  }
}

/** The notch of a changed top token. */
function drawNotched(ctx: CanvasRenderingContext2D, b: Box): void {
  const right = b.x + b.w;
  ctx.beginPath();
  ctx.moveTo(right - 7, b.y);
  ctx.lineTo(right, b.y);
  ctx.lineTo(right, b.y + 7);
  ctx.closePath();
  ctx.fill();
  ctx.stroke();
}

/** Rings a cell: dashed where a value comes from. */
export function drawRing(ctx: CanvasRenderingContext2D, b: Box, view: View, dashed: boolean): void {
  ctx.strokeStyle = view.inks.brass;
  ctx.lineWidth = 2.4;
  ctx.setLineDash(dashed ? [4, 2.5] : []);
  ctx.beginPath();
  ctx.roundRect(b.x - 1.5, b.y - 1.5, b.w + 3, b.h + 3, 5);
  ctx.stroke();
  ctx.setLineDash([]);
}

/**
 * The line from one cell to another: it leaves into the gap below the row, runs
 * there, and comes up at the target's near side, so that it never crosses a
 * value. Only between grids that stand side by side; nothing otherwise.
 */
export function drawLine(ctx: CanvasRenderingContext2D, grids: Grid[], from: Spot, into: Spot, view: View): void {
  const [g, h] = [grids[from.panel]!, grids[into.panel]!];
  if (from.panel === into.panel || g.y !== h.y || g.x >= h.x) return;
  const a = cellBox(g, from.row, from.col);
  const b = cellBox(h, into.row, into.col);
  const lane = a.y + a.h + (g.pitchY - a.h) / 2;
  const rise = b.y + b.h / 2;
  // Between rows of different layers the line climbs in the white between the grids.
  const climb = h.x - 12;
  const lane2 = b.y + b.h + (h.pitchY - b.h) / 2;
  const path = new Path2D();
  path.moveTo(a.x + a.w - 10, a.y + a.h + 1.5);
  path.quadraticCurveTo(a.x + a.w - 10, lane, a.x + a.w - 4, lane);
  path.lineTo(climb, lane);
  if (lane2 !== lane) path.lineTo(climb, lane2);
  path.lineTo(b.x - 9, lane2);
  path.quadraticCurveTo(b.x - 6, lane2, b.x - 6, lane2 - 4);
  path.lineTo(b.x - 6, rise + 4);
  path.quadraticCurveTo(b.x - 6, rise, b.x - 2, rise);
  ctx.lineJoin = 'round';
  ctx.strokeStyle = view.inks.card;
  ctx.lineWidth = 5;
  ctx.stroke(path);
  ctx.strokeStyle = view.inks.brass;
  ctx.lineWidth = 2;
  ctx.stroke(path);
  // The head points into the target.
  ctx.beginPath();
  ctx.moveTo(b.x - 7, rise - 4.5);
  ctx.lineTo(b.x - 2, rise);
  ctx.lineTo(b.x - 7, rise + 4.5);
  ctx.stroke();
}
