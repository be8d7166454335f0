// Draws bars and stems, their whiskers, and under a slider their last values.
import type { Scale } from '../api/types.gen';
import { drawColumns, isPrompt } from './axis';
import { SLANT, MARK, data, known, lastOf, within, type BarsLayout } from './bars';
import { barColour, clipped } from './colour';
import { format } from './format';
import { endsOf } from './interval';
import { drawHatched } from './grid';
import { drawNames, flow } from './legend';
import { PENDING, type FigureData } from './live';
import { drawMark } from './marks';
import { drawBeyond, drawNotes, drawOdd } from './notes';
import { FONT, fit, type View } from './painter';
import { SMALL, drawBase, drawHeights, segment } from './plotaxes';

const VALUE = FONT.mono(11);
/** Bars at least so wide have their value written above. */
const WRITE = 34;

export function draw(ctx: CanvasRenderingContext2D, figure: FigureData, at: BarsLayout, view: View): boolean {
  const bars = data(figure);
  const { plot, measure, mini } = at;
  const scale = figure.scale(bars.y_scale);
  drawHeights(ctx, plot, scale, view, measure, mini);
  const tops = bars.categories.labels.map(() => at.foot);
  for (const [s] of bars.series.entries()) drawSeries(ctx, figure, at, s, scale, tops, view);
  if (at.foot < plot.y + plot.h - 1) {
    ctx.strokeStyle = view.inks.edge;
    ctx.lineWidth = 1;
    segment(ctx, plot.x, Math.round(at.foot) + 0.5, plot.x + plot.w, Math.round(at.foot) + 0.5);
  }
  drawLabels(ctx, figure, at, view);
  if (!mini) drawMarks(ctx, figure, at, tops, view);
  if (bars.series.length > 1 && !mini) {
    const names = bars.series.map((s) => s.name);
    drawNames(ctx, bars.series, flow(names, plot.x, at.legendY, at.width - plot.x - 12, measure), view, measure, (x, y, s) => {
      ctx.fillStyle = barColour(bars.series, s, view.theme);
      if (bars.stems) drawMark(ctx, x + 9, y, 'disc', ctx.fillStyle, view);
      else ctx.fillRect(x + 3, y - 5, 14, 10);
    });
  }
  drawNotes(ctx, at.notes, plot.x, at.notesY, plot.w, view, measure);
  if (view.spot) drawSpot(ctx, at, view);
  return false;
}

/** What is marked is the figure's own series and not what it is compared with. */
function isMarked(figure: FigureData, s: number, i: number): boolean {
  const { series, marks } = data(figure);
  return (marks?.includes(i) ?? false) && !series[s]!.control;
}

/** The marked categories are brass, the others have their series' colour. */
function colourOfBar(figure: FigureData, s: number, i: number, view: View): string {
  return isMarked(figure, s, i) ? view.inks.brass : barColour(data(figure).series, s, view.theme);
}

function drawSeries(ctx: CanvasRenderingContext2D, figure: FigureData, at: BarsLayout, s: number, scale: Scale, tops: number[], view: View): void {
  const bars = data(figure);
  const series = bars.series[s]!;
  const numbers = figure.numbers(series.y);
  const errors = series.errors ? figure.numbers(series.errors) : null;
  const last = lastOf(figure, series);
  at.bars[s]!.forEach((b, i) => {
    if (b.x + b.w < view.from - 20 || b.x > view.to + 20) return;
    if (numbers.state?.[i] === PENDING) {
      const box = { x: b.x, y: at.plot.y + at.plot.h * 0.6, w: b.w, h: at.plot.h * 0.4 };
      drawHatched(ctx, [box], box, view);
      return;
    }
    const value = numbers.data[i]!;
    if ((numbers.state?.[i] ?? 1) === 1 && !Number.isFinite(value)) drawOdd(ctx, b.x + b.w / 2, at.foot - 6, view);
    if (!known(numbers, i)) return;
    const marked = isMarked(figure, s, i);
    const colour = colourOfBar(figure, s, i, view);
    const y = at.ys[s]![i]!;
    const middle = b.x + b.w / 2;
    if (bars.stems) {
      ctx.strokeStyle = colour;
      ctx.lineWidth = at.mini ? 1 : marked ? 3 : Math.min(2, at.slot / 2.5);
      ctx.globalAlpha = marked ? 1 : 0.75;
      segment(ctx, middle, at.foot, middle, y);
      ctx.globalAlpha = 1;
      ctx.fillStyle = colour;
      ctx.beginPath();
      ctx.arc(middle, y, Math.min(at.slot / 2, at.mini ? 1.5 : marked ? 4.2 : 2.4), 0, 2 * Math.PI);
      ctx.fill();
    } else {
      ctx.fillStyle = colour;
      ctx.beginPath();
      const r = Math.min(2.5, b.w / 4, b.h / 2);
      ctx.roundRect(b.x, b.y, b.w, b.h, y <= at.foot ? [r, r, 0, 0] : [0, 0, r, r]);
      ctx.fill();
    }
    const over = clipped(scale, value);
    if (over !== 0) drawBeyond(ctx, middle, y - 7 * over, 0, -over, view.inks.ink);
    let [top, foot] = [over > 0 ? y - 8 : y, over < 0 ? y + 8 : y];
    if (errors && known(errors, i)) {
      const [up, down] = drawWhisker(ctx, at, middle, endsOf(figure.figure.interval, value, errors.data[i]!), scale, b.w, view);
      [top, foot] = [Math.min(top, up), Math.max(foot, down)];
    }
    if (last && known(last, i)) drawLast(ctx, at, middle, b.w, y, within(at.plot, scale, last.data[i]!), !bars.stems ? view.inks.ink : marked ? colour : view.inks.edge, bars.stems ?? false);
    if (at.mini) return;
    const text = bars.stems || b.w < WRITE - 6 ? '' : format(scale.format, value);
    // Above the last value's line, too.
    if (last && known(last, i)) top = Math.min(top, within(at.plot, scale, last.data[i]!));
    if (text && at.measure(text, VALUE) <= (bars.series.length > 1 ? b.w + 2 : at.slot - 2)) {
      // Below a bar that hangs, or on the other side where there is no room for it.
      const hangs = value < 0 && y > at.foot;
      const under = hangs && foot + 14 <= at.plot.y + at.plot.h;
      write(ctx, text, middle, under ? foot + 9 : hangs ? at.foot - 8 : top - 8, VALUE, view.inks.soft, view);
      top -= 13;
    }
    tops[i] = Math.min(tops[i]!, top);
  });
}

/** A text that stays readable over grid lines. */
function write(ctx: CanvasRenderingContext2D, text: string, x: number, y: number, font: string, ink: string, view: View): void {
  ctx.font = font;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  ctx.lineJoin = 'round';
  ctx.lineWidth = 3;
  ctx.strokeStyle = view.inks.card;
  ctx.strokeText(text, x, y);
  ctx.fillStyle = ink;
  ctx.fillText(text, x, y);
}

/** The interval of a bar's value; returns both ends. */
function drawWhisker(ctx: CanvasRenderingContext2D, at: BarsLayout, x: number, [lo, hi]: [number, number], scale: Scale, wide: number, view: View): [number, number] {
  const up = within(at.plot, scale, hi);
  const down = within(at.plot, scale, lo);
  const cap = Math.min(4, wide / 3);
  ctx.strokeStyle = view.inks.ink;
  ctx.lineWidth = 1;
  segment(ctx, x, up, x, down);
  segment(ctx, x - cap, up, x + cap, up);
  segment(ctx, x - cap, down, x + cap, down);
  return [up, down];
}

/** A short line at the last frame's value; from a stem a dotted one leads there. */
function drawLast(ctx: CanvasRenderingContext2D, at: BarsLayout, x: number, wide: number, now: number, last: number, ink: string, stem: boolean): void {
  const half = stem ? Math.min(5, at.slot / 2 - 0.5) : wide / 2 + 2;
  ctx.strokeStyle = ink;
  ctx.lineWidth = 1.2;
  if (stem && last < now - 6) {
    ctx.setLineDash([2, 3]);
    segment(ctx, x, now - 5, x, last);
    ctx.setLineDash([]);
  }
  segment(ctx, x - half, last, x + half, last);
}

/** The names of the marked categories above their bars; those that would touch give way upwards. */
function drawMarks(ctx: CanvasRenderingContext2D, figure: FigureData, at: BarsLayout, tops: number[], view: View): void {
  const bars = data(figure);
  const scale = figure.scale(bars.y_scale);
  const taken: { x: number; y: number; w: number }[] = [];
  for (const i of [...(bars.marks ?? [])].sort((a, b) => a - b)) {
    const text = bars.categories.labels[i] ?? '';
    const w = at.measure(text, MARK);
    const ends = bars.series.map((series) => {
      const last = lastOf(figure, series);
      return last && known(last, i) ? within(at.plot, scale, last.data[i]!) : at.foot;
    });
    const x = at.plot.x + (i + 0.5) * at.slot;
    let y = Math.min(tops[i]!, ...ends) - 11;
    for (const t of taken) if (Math.abs(t.x - x) < (t.w + w) / 2 + 3 && Math.abs(t.y - y) < 13) y = t.y - 13;
    y = Math.max(7, y);
    taken.push({ x, y, w });
    write(ctx, text, x, y, MARK, view.inks.ink, view);
  }
}

function drawLabels(ctx: CanvasRenderingContext2D, figure: FigureData, at: BarsLayout, view: View): void {
  const { categories } = data(figure);
  const { plot, slot, measure, mini } = at;
  const n = categories.labels.length;
  if (isPrompt(categories)) {
    drawBase(ctx, plot, [], categories.name, view, measure, mini);
    drawColumns(ctx, { x: plot.x, y: plot.y, rows: 1, cols: n, pitchX: slot, pitchY: plot.h }, categories, view, measure, mini ? 5 : Infinity);
    return;
  }
  const middle = (i: number) => plot.x + (i + 0.5) * slot;
  if (at.slant > 0) {
    drawBase(ctx, { ...plot, h: plot.h }, [], '', view, measure, mini);
    ctx.font = SMALL;
    ctx.fillStyle = view.inks.soft;
    ctx.textAlign = 'right';
    categories.labels.forEach((label, i) => {
      ctx.save();
      ctx.translate(middle(i) + 4, plot.y + plot.h + 10);
      ctx.rotate(SLANT.angle);
      ctx.fillText(fit(measure, label, SMALL, 110), 0, 0);
      ctx.restore();
    });
    ctx.textAlign = 'center';
    ctx.fillStyle = view.inks.mute;
    ctx.fillText(categories.name, plot.x + plot.w / 2, plot.y + plot.h + 32 + at.slant);
    return;
  }
  const widths = categories.labels.map((l) => measure(l, SMALL));
  const shown = thinned(categories.labels, widths, slot, mini ? 4 : Infinity);
  const marks = shown.map((i) => ({ x: middle(i), text: categories.labels[i]! }));
  drawBase(ctx, plot, marks, categories.name, view, measure, mini);
}

/**
 * The labels that are written so that none touch: evenly thinned, numbers at
 * round ones; the first and the last always.
 */
export function thinned(labels: string[], widths: number[], slot: number, most: number): number[] {
  const n = labels.length;
  const need = Math.max(1, (Math.max(...widths) + 10) / slot, n / most);
  const every = [1, 2, 5, 10, 20, 50, 100, 200, 500].find((e) => e >= need) ?? Math.ceil(need);
  const counted = every > 1 && labels.every((l) => Number.isInteger(Number(l)));
  const all = labels.map((_, i) => i);
  const inner = all.filter((i) => (counted ? Number(labels[i]) : i) % every === 0 && i >= need && n - 1 - i >= need);
  return [...new Set([0, ...(every === 1 ? all : inner), n - 1])];
}

function drawSpot(ctx: CanvasRenderingContext2D, at: BarsLayout, view: View): void {
  const { row, col } = view.spot!;
  const b = at.bars[row]![col]!;
  ctx.strokeStyle = view.locked ? view.inks.brass : view.inks.ink;
  ctx.lineWidth = view.locked ? 2 : 1.5;
  ctx.beginPath();
  const w = Math.max(b.w, 6);
  ctx.roundRect(b.x + b.w / 2 - w / 2 - 1.5, b.y - 2, w + 3, b.h + 4, 3);
  ctx.stroke();
}
