// Lines over one x axis, with bands of standard error, named at their ends.
import type { Lines, Series } from '../api/types.gen';
import { seriesColour, seriesStyle, type Mark } from './colour';
import { format, unitLabel } from './format';
import { DONE, PENDING, type LiveFigure, type Numbers } from './live';
import { FONT, fit, type Box, type Layout, type Measure, type Reading, type Room, type Spot, type View } from './painter';
import { along, ticks, type Tick } from './ticks';

export interface LinesLayout extends Layout {
  plot: Box;
  /** The x position of each index, in CSS pixels. */
  xs: number[];
  /** The y positions, one list a series; NaN where there is no number yet. */
  ys: number[][];
  measure: Measure;
  mini: boolean;
  /** True when the names stand below and not at the right. */
  legendBelow: boolean;
}

const SMALL = FONT.ui(11);
const NAME = FONT.ui(12, 500);
const LEGEND_ROW = 18;

function data(figure: LiveFigure): Lines {
  return figure.figure.lines!;
}

export function layout(figure: LiveFigure, room: Room): LinesLayout {
  const lines = data(figure);
  const mini = room.mini !== undefined;
  const widest = Math.max(0, ...lines.series.map((s) => room.measure(s.name, NAME)));
  const legendBelow = !mini && (room.width < 560 || widest > 170);
  const right = mini ? 10 : legendBelow ? 12 : Math.ceil(widest) + 38;
  const left = mini ? 40 : 58;
  const below = legendBelow ? LEGEND_ROW * Math.ceil(lines.series.length / 2) + 6 : 0;
  const usual = Math.min(300, Math.max(180, Math.round(room.width * 0.4)));
  const tall = mini ? room.mini! - 30 : Math.max(usual, (room.tall ?? 0) - below - 50);
  const plot = { x: left, y: 10, w: room.width - left - right, h: tall - 10 };
  const xScale = figure.scale(lines.x_scale);
  const yScale = figure.scale(lines.y_scale);
  const xs = Array.from(figure.numbers(lines.x).data, (v) => plot.x + plot.w * along(xScale, v));
  const ys = lines.series.map((s) => {
    const numbers = figure.numbers(s.y);
    return Array.from(numbers.data, (v, i) => (known(numbers, i) ? plot.y + plot.h * (1 - along(yScale, v)) : NaN));
  });
  const height = mini ? room.mini! : plot.y + plot.h + 44 + below;
  return { width: room.width, height, plot, xs, ys, measure: room.measure, mini, legendBelow };
}

function known(numbers: Numbers, i: number): boolean {
  return (numbers.state?.[i] ?? DONE) === DONE;
}

export function draw(ctx: CanvasRenderingContext2D, figure: LiveFigure, at: LinesLayout, view: View): boolean {
  const lines = data(figure);
  drawAxes(ctx, figure, at, view);
  ctx.save();
  ctx.beginPath();
  ctx.rect(at.plot.x - 5, at.plot.y - 5, at.plot.w + 10, at.plot.h + 10);
  ctx.clip();
  lines.series.forEach((series, s) => drawBand(ctx, figure, at, series, s, view));
  lines.series.forEach((series, s) => drawSeries(ctx, at, series, s, view));
  ctx.restore();
  if (!at.mini) drawNames(ctx, lines.series, at, view);
  if (view.spot) drawRule(ctx, at, lines.series, view.spot, view);
  return false;
}

function drawAxes(ctx: CanvasRenderingContext2D, figure: LiveFigure, at: LinesLayout, view: View): void {
  const lines = data(figure);
  const { plot, mini } = at;
  const xScale = figure.scale(lines.x_scale);
  const yScale = figure.scale(lines.y_scale);
  ctx.lineWidth = 1;
  ctx.font = SMALL;
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'right';
  for (const tick of ticks(yScale, mini ? 3 : 5)) {
    const y = Math.round(plot.y + plot.h * (1 - along(yScale, tick.value))) + 0.5;
    ctx.strokeStyle = view.inks.line;
    segment(ctx, plot.x, y, plot.x + plot.w, y);
    ctx.fillStyle = view.inks.soft;
    ctx.fillText(tick.text, plot.x - 8, y);
  }
  ctx.strokeStyle = view.inks.edge;
  segment(ctx, plot.x, plot.y + plot.h + 0.5, plot.x + plot.w, plot.y + plot.h + 0.5);
  ctx.textAlign = 'center';
  for (const { x, text } of xTicks(figure, at)) {
    segment(ctx, x, plot.y + plot.h, x, plot.y + plot.h + 4);
    ctx.fillText(text, x, plot.y + plot.h + 14);
  }
  if (mini) return;
  ctx.fillStyle = view.inks.mute;
  ctx.fillText(unitLabel(xScale.label, xScale.unit), plot.x + plot.w / 2, plot.y + plot.h + 32);
  ctx.save();
  ctx.translate(9, plot.y + plot.h / 2);
  ctx.rotate(-Math.PI / 2);
  ctx.fillText(unitLabel(yScale.label, yScale.unit), 0, 0);
  ctx.restore();
}

function xTicks(figure: LiveFigure, at: LinesLayout): { x: number; text: string }[] {
  const lines = data(figure);
  const { plot, mini, measure } = at;
  const labels = lines.x_labels ?? [];
  const scale = figure.scale(lines.x_scale);
  if (labels.length === 0) {
    const about = mini ? 4 : Math.max(2, Math.floor(plot.w / 90));
    return ticks(scale, about).map((t: Tick) => ({ x: plot.x + plot.w * along(scale, t.value), text: t.text }));
  }
  const widest = Math.max(...labels.map((l) => measure(l, SMALL))) + 10;
  const every = Math.max(1, Math.ceil((labels.length * Math.min(widest, 90)) / plot.w), mini ? Math.ceil(labels.length / 5) : 1);
  return labels.flatMap((label, i) => (i % every === 0 ? [{ x: at.xs[i]!, text: fit(measure, label, SMALL, 86) }] : []));
}

function segment(ctx: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number): void {
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
}

/** The band of one standard error on each side. */
function drawBand(
  ctx: CanvasRenderingContext2D,
  figure: LiveFigure,
  at: LinesLayout,
  series: Series,
  s: number,
  view: View,
): void {
  if (!series.errors) return;
  const scale = figure.scale(data(figure).y_scale);
  const y = figure.numbers(series.y);
  const e = figure.numbers(series.errors);
  const place = (v: number) => at.plot.y + at.plot.h * (1 - along(scale, v));
  const there = at.xs.map((_, i) => i).filter((i) => known(y, i) && known(e, i));
  if (there.length < 2) return;
  ctx.beginPath();
  for (const i of there) ctx.lineTo(at.xs[i]!, place(y.data[i]! + e.data[i]!));
  for (const i of there.reverse()) ctx.lineTo(at.xs[i]!, place(y.data[i]! - e.data[i]!));
  ctx.closePath();
  ctx.globalAlpha = 0.16;
  ctx.fillStyle = seriesColour(view.theme, s, series.control ?? false);
  ctx.fill();
  ctx.globalAlpha = 1;
}

function drawSeries(ctx: CanvasRenderingContext2D, at: LinesLayout, series: Series, s: number, view: View): void {
  const colour = seriesColour(view.theme, s, series.control ?? false);
  const { dash, mark } = seriesStyle(s, series.control ?? false);
  const ys = at.ys[s]!;
  ctx.strokeStyle = colour;
  ctx.lineWidth = series.control ? 1.25 : 1.75;
  ctx.setLineDash(dash);
  ctx.beginPath();
  let pen = false;
  ys.forEach((y, i) => {
    if (!Number.isFinite(y)) pen = false;
    else if (pen) ctx.lineTo(at.xs[i]!, y);
    else {
      ctx.moveTo(at.xs[i]!, y);
      pen = true;
    }
  });
  ctx.stroke();
  ctx.setLineDash([]);
  if (at.mini || ys.length > at.plot.w / 12) return;
  ys.forEach((y, i) => {
    if (Number.isFinite(y)) drawMark(ctx, at.xs[i]!, y, mark, colour, view);
  });
}

function drawMark(ctx: CanvasRenderingContext2D, x: number, y: number, mark: Mark, colour: string, view: View): void {
  if (mark === 'none') return;
  const r = 3;
  ctx.beginPath();
  if (mark === 'disc' || mark === 'ring') ctx.arc(x, y, r, 0, 2 * Math.PI);
  else if (mark === 'square') ctx.rect(x - r, y - r, 2 * r, 2 * r);
  else if (mark === 'cross') {
    ctx.moveTo(x - r, y - r);
    ctx.lineTo(x + r, y + r);
    ctx.moveTo(x + r, y - r);
    ctx.lineTo(x - r, y + r);
  } else {
    ctx.moveTo(x, y - r - 1);
    ctx.lineTo(x + r + 1, mark === 'diamond' ? y : y + r);
    if (mark === 'diamond') ctx.lineTo(x, y + r + 1);
    ctx.lineTo(x - r - 1, mark === 'diamond' ? y : y + r);
    ctx.closePath();
  }
  ctx.fillStyle = mark === 'ring' ? view.inks.card : colour;
  if (mark !== 'cross') ctx.fill();
  ctx.lineWidth = 1.5;
  ctx.strokeStyle = colour;
  ctx.stroke();
}

/** The series' names: at the lines' ends, apart from each other, or in rows below. */
function drawNames(ctx: CanvasRenderingContext2D, series: Series[], at: LinesLayout, view: View): void {
  const { plot } = at;
  ctx.font = NAME;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  const places = at.legendBelow ? rowsBelow(series, at) : besideEnds(at);
  for (const { s, x, y } of places) {
    const control = series[s]!.control ?? false;
    const colour = seriesColour(view.theme, s, control);
    const { dash, mark } = seriesStyle(s, control);
    ctx.strokeStyle = colour;
    ctx.lineWidth = 1.75;
    ctx.setLineDash(dash);
    segment(ctx, x, y, x + 18, y);
    ctx.setLineDash([]);
    drawMark(ctx, x + 9, y, mark, colour, view);
    ctx.fillStyle = control ? view.inks.soft : view.inks.ink;
    const width = at.legendBelow ? plot.w / 2 - 30 : 400;
    ctx.fillText(fit(at.measure, series[s]!.name, NAME, width), x + 24, y + 0.5);
  }
}

function rowsBelow(series: Series[], at: LinesLayout): { s: number; x: number; y: number }[] {
  const { plot } = at;
  return series.map((_, s) => ({
    s,
    x: plot.x + (s % 2) * (plot.w / 2),
    y: plot.y + plot.h + 52 + Math.floor(s / 2) * LEGEND_ROW,
  }));
}

function besideEnds(at: LinesLayout): { s: number; x: number; y: number }[] {
  const x = at.plot.x + at.plot.w + 12;
  const ends = at.ys.map((ys, s) => ({ s, x, y: ys.findLast(Number.isFinite) ?? at.plot.y + 8 + s * LEGEND_ROW }));
  ends.sort((a, b) => a.y - b.y);
  for (let i = 1; i < ends.length; i++) ends[i]!.y = Math.max(ends[i]!.y, ends[i - 1]!.y + LEGEND_ROW);
  const over = (ends.at(-1)?.y ?? 0) - (at.plot.y + at.plot.h);
  if (over > 0) for (const end of ends) end.y -= over;
  return ends;
}

function drawRule(ctx: CanvasRenderingContext2D, at: LinesLayout, series: Series[], spot: Spot, view: View): void {
  const x = Math.round(at.xs[spot.col]!) + 0.5;
  ctx.strokeStyle = view.locked ? view.inks.brass : view.inks.edge;
  ctx.lineWidth = 1;
  segment(ctx, x, at.plot.y, x, at.plot.y + at.plot.h);
  const y = at.ys[spot.row]?.[spot.col] ?? NaN;
  if (!Number.isFinite(y)) return;
  ctx.beginPath();
  ctx.arc(at.xs[spot.col]!, y, 6, 0, 2 * Math.PI);
  ctx.lineWidth = 1.5;
  ctx.strokeStyle = seriesColour(view.theme, spot.row, series[spot.row]?.control ?? false);
  ctx.stroke();
}

export function hit(at: LinesLayout, x: number, y: number): Spot | null {
  const { plot, xs, ys } = at;
  if (x < plot.x - 10 || x > plot.x + plot.w + 10 || y < plot.y - 10 || y > plot.y + plot.h + 20) return null;
  const near = (list: number[], to: number) =>
    list.reduce((best, v, i) => (Math.abs(v - to) < Math.abs((list[best] ?? NaN) - to) || Number.isNaN(list[best]) ? i : best), 0);
  const col = near(xs, x);
  return xs.length === 0 ? null : { panel: 0, row: near(ys.map((list) => list[col]!), y), col };
}

/** Left and right walk the x axis, up and down the series. */
export function step(at: LinesLayout, from: Spot | null, dx: number, dy: number): Spot {
  if (!from) return { panel: 0, row: 0, col: at.xs.length - 1 };
  const within = (n: number, size: number) => Math.min(size - 1, Math.max(0, n));
  return { panel: 0, row: within(from.row - dy, at.ys.length), col: within(from.col + dx, at.xs.length) };
}

export function box(at: LinesLayout, spot: Spot): Box {
  const y = at.ys[spot.row]?.[spot.col] ?? NaN;
  return { x: at.xs[spot.col]! - 6, y: (Number.isFinite(y) ? y : at.plot.y) - 6, w: 12, h: 12 };
}

export function read(figure: LiveFigure, spot: Spot): Reading {
  const lines = data(figure);
  const xScale = figure.scale(lines.x_scale);
  const yScale = figure.scale(lines.y_scale);
  const write = (s: Series) => {
    const numbers = figure.numbers(s.y);
    if (numbers.state?.[spot.col] === PENDING) return 'not computed yet';
    return known(numbers, spot.col) ? format(yScale.format, numbers.data[spot.col]!) : 'does not exist';
  };
  const x = lines.x_labels?.[spot.col] ?? format(xScale.format, figure.numbers(lines.x).data[spot.col]!);
  const here = lines.series[spot.row]!;
  return {
    title: `${xScale.label || 'x'} ${x}`,
    label: here.name,
    value: write(here),
    facts: lines.series.filter((s) => s !== here).map((s) => ({ name: s.name, value: write(s) })),
    best: [],
  };
}
