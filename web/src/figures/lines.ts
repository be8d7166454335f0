// Lines over one x axis, with intervals around their means, named at their ends.
// Under a slider's rule the future of a curve is faint.
import type { Lines, Series } from '../api/types.gen';
import { lineStyle } from './colour';
import { format, unitLabel } from './format';
import { drawHatched } from './grid';
import { GUIDE_ROOM, drawGuides } from './guide';
import { endsOf, errorFacts } from './interval';
import { LEGEND_ROW, NAME, beside, drawNames, flow, flowHeight } from './legend';
import { DONE, PENDING, type FigureData, type Numbers } from './live';
import { drawMark } from './marks';
import { fit, type Box, type Layout, type Measure, type Reading, type Room, type Spot, type View } from './painter';
import { SMALL, acrossFromZero, baseTicks, breaksAtZero, drawBase, drawBreak, drawHeights, heightOf, segment } from './plotaxes';
import { drawBands, drawFrameRule, valueRoom } from './rule';
import { ticks } from './ticks';

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
  /** What is free at the right of the plot, for the numbers at the rule. */
  beside: number;
}

/** What names below the plot leave free at the right. */
const NAMES_RIGHT = 12;
/** How strong what lies after the rule is. */
const FUTURE = 0.4;
/** Half of a whisker's cap. */
const CAP = 3;

export const follows = true;

function data(figure: FigureData): Lines {
  return figure.figure.lines!;
}

export function layout(figure: FigureData, room: Room): LinesLayout {
  const lines = data(figure);
  const mini = room.mini !== undefined;
  const names = lines.series.map((s) => s.name);
  const widest = Math.max(0, ...names.map((name) => room.measure(name, NAME)));
  const legendBelow = !mini && (room.width < 560 || widest > 170);
  const beside = legendBelow ? Math.max(12, ruleRoom(figure, room.measure), lastTick(figure, room.measure)) : 0;
  const right = mini ? 10 : legendBelow ? beside : Math.ceil(widest) + 38;
  const left = mini ? 40 : 58;
  const top = mini ? 10 : lines.guides?.length ? GUIDE_ROOM : lines.rule && figure.figure.slider?.bands?.length ? 22 : 10;
  const below = legendBelow ? flowHeight(names, room.width - left - NAMES_RIGHT, room.measure) + 6 : 0;
  const usual = Math.min(room.width < 700 ? 330 : 300, Math.max(190, Math.round(room.width * 0.72)));
  const tall = mini ? room.mini! - 30 : Math.max(usual, (room.tall ?? 0) - below - 50);
  const plot = { x: left, y: top, w: room.width - left - right, h: tall - top };
  const xScale = figure.scale(lines.x_scale);
  const yScale = figure.scale(lines.y_scale);
  const xs = Array.from(figure.numbers(lines.x).data, (v) => acrossFromZero(plot, xScale, v));
  const ys = lines.series.map((s) => {
    const numbers = figure.numbers(s.y);
    return Array.from(numbers.data, (v, i) => (known(numbers, i) && Number.isFinite(xs[i]) ? heightOf(plot, yScale, v) : NaN));
  });
  const height = mini ? room.mini! : plot.y + plot.h + 44 + below;
  return { width: room.width, height, plot, xs, ys, measure: room.measure, mini, legendBelow, beside };
}

/** What the widest number of any frame needs beside the rule; 0 without one. */
function ruleRoom(figure: FigureData, measure: Measure): number {
  const lines = data(figure);
  if (ruleAt(figure) < 0) return 0;
  const scale = figure.scale(lines.y_scale);
  return valueRoom(lines.series.flatMap((s) => Array.from(figure.numbers(s.y).data, (v) => format(scale.format, v))), measure) + 1;
}

/** What the label of the last tick may need beyond the plot's end. */
function lastTick(figure: FigureData, measure: Measure): number {
  const lines = data(figure);
  const text = lines.x_labels?.at(-1) ?? ticks(figure.scale(lines.x_scale), 5).at(-1)?.text ?? '';
  return Math.ceil(measure(text, SMALL) / 2) + 2;
}

function known(numbers: Numbers, i: number): boolean {
  return (numbers.state?.[i] ?? DONE) === DONE;
}

/** The index at which the slider's rule stands; -1 without one. */
function ruleAt(figure: FigureData): number {
  return data(figure).rule && figure.figure.slider ? figure.frame : -1;
}

export function draw(ctx: CanvasRenderingContext2D, figure: FigureData, at: LinesLayout, view: View): boolean {
  const lines = data(figure);
  const { plot, measure, mini } = at;
  const xScale = figure.scale(lines.x_scale);
  const yScale = figure.scale(lines.y_scale);
  const rule = ruleAt(figure);
  if (rule >= 0) drawBands(ctx, plot, figure.figure.slider!, xScale, view, measure, !mini);
  drawHeights(ctx, plot, yScale, view, measure, mini);
  if (lines.guides) drawGuides(ctx, plot, lines.guides, xScale, view, measure, mini);
  drawBase(ctx, plot, xTicks(figure, at), unitLabel(xScale.label, xScale.unit), view, measure, mini);
  if (breaksAtZero(xScale, figure.numbers(lines.x).data)) drawBreak(ctx, plot, view);
  hatchPending(ctx, figure, at, view);
  const end = plot.x + plot.w + 5;
  const now = rule < 0 ? end : Math.max(plot.x - 5, Number.isFinite(at.xs[rule]) ? at.xs[rule]! : plot.x);
  drawPast(ctx, figure, at, plot.x - 5, now, view);
  if (now < end) {
    ctx.globalAlpha = FUTURE;
    drawPast(ctx, figure, at, now, end, view);
    ctx.globalAlpha = 1;
  }
  if (!mini) {
    const names = lines.series.map((s) => s.name);
    const ends = at.ys.map((ys, s) => ({ s, y: ys.findLast(Number.isFinite) ?? plot.y + 8 + s * LEGEND_ROW }));
    const entries = at.legendBelow ? flow(names, plot.x, plot.y + plot.h + 52, at.width - plot.x - NAMES_RIGHT, measure) : beside(ends, plot);
    drawNames(ctx, lines.series, entries, view, measure);
  }
  if (rule >= 0) {
    const values = lines.series.flatMap((series, s) => {
      const y = at.ys[s]![rule] ?? NaN;
      const text = format(yScale.format, figure.numbers(series.y).data[rule] ?? NaN);
      return Number.isFinite(y) ? [{ colour: lineStyle(lines.series, s, view.theme).colour, y, text }] : [];
    });
    drawFrameRule(ctx, plot, at.xs[rule] ?? plot.x, values, view, measure, mini, at.beside);
  }
  if (view.spot) drawPointer(ctx, at, lines.series, view.spot, view);
  return false;
}

/** Hatches the stretches of x at which no series has a number yet. */
function hatchPending(ctx: CanvasRenderingContext2D, figure: FigureData, at: LinesLayout, view: View): void {
  const { plot, xs } = at;
  const all = data(figure).series.map((s) => figure.numbers(s.y).state);
  const waits = (i: number) => all.length > 0 && all.every((state) => state?.[i] === PENDING);
  const place = (i: number, end: number) => (Number.isFinite(xs[i]) ? Math.min(plot.x + plot.w, Math.max(plot.x, xs[i]!)) : end);
  const boxes: Box[] = [];
  for (let i = 0; i < xs.length; i++) {
    if (!waits(i)) continue;
    const from = place(i - 1, plot.x);
    while (i + 1 < xs.length && waits(i + 1)) i++;
    boxes.push({ ...plot, x: from, w: place(i + 1, plot.x + plot.w) - from });
  }
  if (boxes.length > 0) drawHatched(ctx, boxes, plot, view);
}

/** The bands and curves between two x. */
function drawPast(ctx: CanvasRenderingContext2D, figure: FigureData, at: LinesLayout, from: number, to: number, view: View): void {
  const { series } = data(figure);
  ctx.save();
  ctx.beginPath();
  ctx.rect(from, at.plot.y - 5, to - from, at.plot.h + 10);
  ctx.clip();
  series.forEach((one, s) => drawBand(ctx, figure, at, one, s, view));
  series.forEach((_, s) => drawSeries(ctx, figure, at, series, s, view));
  ctx.restore();
}

function xTicks(figure: FigureData, at: LinesLayout): { x: number; text: string }[] {
  const lines = data(figure);
  const { plot, mini, measure } = at;
  const labels = lines.x_labels ?? [];
  if (labels.length === 0) {
    const scale = figure.scale(lines.x_scale);
    const zero = breaksAtZero(scale, figure.numbers(lines.x).data) ? [{ x: acrossFromZero(plot, scale, 0), text: '0' }] : [];
    return [...zero, ...baseTicks(plot, scale, mini)];
  }
  const widest = Math.max(...labels.map((l) => measure(l, SMALL))) + 10;
  const every = Math.max(1, Math.ceil((labels.length * Math.min(widest, 90)) / plot.w), mini ? Math.ceil(labels.length / 5) : 1);
  return labels.flatMap((label, i) => (i % every === 0 ? [{ x: at.xs[i]!, text: fit(measure, label, SMALL, 86) }] : []));
}

/** True where points have marks and whiskers: few enough do. */
function marked(at: LinesLayout): boolean {
  return !at.mini && at.xs.length <= at.plot.w / 12;
}

/** The interval of a series with too many points for whiskers. */
function drawBand(ctx: CanvasRenderingContext2D, figure: FigureData, at: LinesLayout, series: Series, s: number, view: View): void {
  if (!series.errors || marked(at)) return;
  const scale = figure.scale(data(figure).y_scale);
  const y = figure.numbers(series.y);
  const e = figure.numbers(series.errors);
  const place = (v: number) => {
    const height = heightOf(at.plot, scale, v);
    return Number.isFinite(height) ? height : at.plot.y + at.plot.h;
  };
  const there = at.xs.map((_, i) => i).filter((i) => known(y, i) && known(e, i) && Number.isFinite(at.xs[i]));
  if (there.length < 2) return;
  const alpha = ctx.globalAlpha;
  ctx.beginPath();
  const ends = (i: number) => endsOf(figure.figure.interval, y.data[i]!, e.data[i]!);
  for (const i of there) ctx.lineTo(at.xs[i]!, place(ends(i)[1]));
  for (const i of there.reverse()) ctx.lineTo(at.xs[i]!, place(ends(i)[0]));
  ctx.closePath();
  ctx.globalAlpha = alpha * 0.16;
  ctx.fillStyle = lineStyle(data(figure).series, s, view.theme).colour;
  ctx.fill();
  ctx.globalAlpha = alpha;
}

/** The intervals of the points of a series, in its colour. */
function drawWhiskers(ctx: CanvasRenderingContext2D, figure: FigureData, at: LinesLayout, series: Series): void {
  if (!series.errors) return;
  const { plot } = at;
  const scale = figure.scale(data(figure).y_scale);
  const y = figure.numbers(series.y);
  const e = figure.numbers(series.errors);
  const place = (v: number) => {
    const height = heightOf(plot, scale, v);
    return Number.isFinite(height) ? Math.min(plot.y + plot.h, Math.max(plot.y, height)) : plot.y + plot.h;
  };
  ctx.lineWidth = 1;
  at.xs.forEach((x, i) => {
    if (!known(y, i) || !known(e, i) || !Number.isFinite(x) || !Number.isFinite(y.data[i]) || !Number.isFinite(e.data[i])) return;
    const [lo, hi] = endsOf(figure.figure.interval, y.data[i]!, e.data[i]!).map(place);
    segment(ctx, x, hi!, x, lo!);
    segment(ctx, x - CAP, hi!, x + CAP, hi!);
    segment(ctx, x - CAP, lo!, x + CAP, lo!);
  });
}

function drawSeries(ctx: CanvasRenderingContext2D, figure: FigureData, at: LinesLayout, series: Series[], s: number, view: View): void {
  const { colour, dash, mark } = lineStyle(series, s, view.theme);
  const ys = at.ys[s]!;
  ctx.strokeStyle = colour;
  ctx.lineWidth = series[s]!.control ? 1.25 : 1.75;
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
  if (!marked(at)) return;
  drawWhiskers(ctx, figure, at, series[s]!);
  ys.forEach((y, i) => {
    if (Number.isFinite(y)) drawMark(ctx, at.xs[i]!, y, mark, colour, view);
  });
}

/** The line and the ring at the point that the reader is at. */
function drawPointer(ctx: CanvasRenderingContext2D, at: LinesLayout, series: Series[], spot: Spot, view: View): void {
  const x = Math.round(at.xs[spot.col]!) + 0.5;
  ctx.strokeStyle = view.locked ? view.inks.brass : view.inks.edge;
  ctx.lineWidth = 1;
  segment(ctx, x, at.plot.y, x, at.plot.y + at.plot.h);
  const y = at.ys[spot.row]?.[spot.col] ?? NaN;
  if (!Number.isFinite(y)) return;
  ctx.beginPath();
  ctx.arc(at.xs[spot.col]!, y, 6, 0, 2 * Math.PI);
  ctx.lineWidth = 1.5;
  ctx.strokeStyle = lineStyle(series, spot.row, view.theme).colour;
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
  const x = Number.isFinite(at.xs[spot.col]) ? at.xs[spot.col]! : at.plot.x;
  const y = at.ys[spot.row]?.[spot.col] ?? NaN;
  return { x: x - 6, y: (Number.isFinite(y) ? y : at.plot.y) - 6, w: 12, h: 12 };
}

export function read(figure: FigureData, spot: Spot): Reading {
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
  const error = here.errors ? figure.numbers(here.errors) : null;
  const errors =
    error && known(error, spot.col) && known(figure.numbers(here.y), spot.col)
      ? errorFacts(figure.figure.interval, figure.numbers(here.y).data[spot.col]!, error.data[spot.col]!, yScale.format)
      : [];
  return {
    title: `${xScale.label || 'x'} ${x}`,
    label: here.name,
    value: write(here),
    facts: [...errors, ...lines.series.filter((s) => s !== here).map((s) => ({ name: s.name, value: write(s) }))],
    best: [],
  };
}
