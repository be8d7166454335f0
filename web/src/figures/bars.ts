// Bars, or thin stems for a spectrum, one a category and series: where they
// stand and how they are read. bars-draw.ts draws them.
import type { Bars, Scale, Series } from '../api/types.gen';
import { isPrompt, labelOf } from './axis';
import { format } from './format';
import { errorFacts } from './interval';
import { flowHeight } from './legend';
import { DONE, PENDING, type FigureData, type Numbers } from './live';
import { counted, notesHeight, reserved, plainNotes, type Note } from './notes';
import { FONT, type Box, type Layout, type Measure, type Reading, type Room, type Spot } from './painter';
import { SMALL, heightOf } from './plotaxes';
import { along } from './ticks';

export interface BarsLayout extends Layout {
  plot: Box;
  /** CSS pixels a category. */
  slot: number;
  /** One list a series: each bar from its foot to its value, at least a hair high. */
  bars: Box[][];
  /** The height of the values, NaN where there is none. */
  ys: number[][];
  /** The height of 0, or of the nearer limit. */
  foot: number;
  /** Labels are slanted where words do not fit side by side. */
  slant: number;
  legendY: number;
  notesY: number;
  notes: Note[];
  measure: Measure;
  mini: boolean;
}

/** The narrowest category. */
const LEAST = { stem: 2.5, bar: 9 };
export const MARK = FONT.ui(12, 600);

export const follows = true;

export function data(figure: FigureData): Bars {
  return figure.figure.bars!;
}

export function known(numbers: Numbers, i: number): boolean {
  return (numbers.state?.[i] ?? DONE) === DONE && Number.isFinite(numbers.data[i]);
}

/** The value that bars stand on: 0, or the nearer limit. */
function footOf(scale: Scale): number {
  return scale.kind === 'log' ? scale.lo : Math.min(scale.hi, Math.max(scale.lo, 0));
}

export function layout(figure: FigureData, room: Room): BarsLayout {
  const bars = data(figure);
  const mini = room.mini !== undefined;
  const n = bars.categories.labels.length;
  const left = mini ? 40 : 58;
  const right = mini ? 10 : 12;
  const top = mini ? 12 : (bars.marks?.length ?? 0) > 0 ? 30 : 24;
  const names = bars.series.map((s) => s.name);
  const least = bars.stems ? LEAST.stem : LEAST.bar * names.length;
  const wide = mini ? room.width - left - right : Math.max(room.width - left - right, n * least);
  const slot = wide / n;
  const slant = mini ? 0 : slantOf(bars, slot, room.measure);
  const legend = names.length > 1 && !mini ? flowHeight(names, room.width - left - right, room.measure) + 6 : 0;
  const under = mini ? 30 : 44 + slant;
  const scale = figure.scale(bars.y_scale);
  const notesOf = (count: typeof counted, read: (name: string) => Numbers) =>
    mini ? [] : plainNotes(count(bars.series.map((s) => ({ numbers: read(s.y), scale }))));
  const notes = notesHeight(notesOf(reserved, (name) => figure.whole(name)), wide, room.measure);
  const usual = Math.min(room.width < 700 ? 310 : 270, Math.max(180, Math.round(room.width * 0.66)));
  const tall = mini ? room.mini! - under - top : Math.max(usual, (room.tall ?? 0) - under - legend - notes - top);
  const plot = { x: left, y: top, w: wide, h: tall };
  const foot = heightOf(plot, scale, footOf(scale));
  const at: BarsLayout = {
    width: left + wide + right,
    height: mini ? room.mini! : Math.ceil(top + tall + under + legend + notes),
    ...{ plot, slot, foot, slant, mini, measure: room.measure, bars: [], ys: [] },
    legendY: top + tall + under + 8,
    notesY: top + tall + under + legend,
    notes: notesOf(counted, (name) => figure.numbers(name)),
  };
  bars.series.forEach((series, s) => {
    const numbers = figure.numbers(series.y);
    const ys = Array.from(numbers.data, (v, i) => (known(numbers, i) ? within(plot, scale, v) : NaN));
    at.ys.push(ys);
    at.bars.push(ys.map((y, i) => barBox(at, i, s, bars.series.length, bars.stems ?? false, y)));
  });
  return at;
}

/** The height of a value; one beyond the limits stands at the limit. */
export function within(plot: Box, scale: Scale, value: number): number {
  const t = along(scale, value);
  return plot.y + plot.h * (1 - Math.min(1, Math.max(0, Number.isNaN(t) ? 0 : t)));
}

function barBox(at: BarsLayout, i: number, s: number, count: number, stems: boolean, y: number): Box {
  const group = stems ? Math.min(at.slot, 14 * count) : Math.min(at.slot * 0.74, 46 * count);
  const w = group / count;
  const x = at.plot.x + (i + 0.5) * at.slot - group / 2 + s * w;
  const to = Number.isFinite(y) ? y : at.foot;
  const high = Math.abs(to - at.foot);
  return { x: x + (count > 1 ? 0.5 : 0), y: Math.min(to, at.foot) - (high < 1 ? 0.5 : 0), w: w - (count > 1 ? 1 : 0), h: Math.max(high, 1) };
}

/** The extra room below for words that do not fit side by side; numbers are thinned out instead. */
function slantOf(bars: Bars, slot: number, measure: Measure): number {
  const { labels } = bars.categories;
  if (isPrompt(bars.categories) || labels.every((l) => Number.isFinite(Number(l)))) return 0;
  const widest = Math.max(...labels.map((l) => measure(l, SMALL)));
  return widest + 8 <= slot || slot < 20 ? 0 : Math.ceil(Math.min(widest, 110) * SLANT.sin);
}

/** Slanted labels fall by 35 degrees. */
export const SLANT = { angle: (-35 * Math.PI) / 180, sin: Math.sin((35 * Math.PI) / 180) };

export function hit(at: BarsLayout, x: number, y: number): Spot | null {
  const { plot, slot } = at;
  const col = Math.floor((x - plot.x) / slot);
  if (!(col >= 0 && col < (at.ys[0]?.length ?? 0) && y >= plot.y - 14 && y <= plot.y + plot.h + 20)) return null;
  const away = (s: number) => {
    const b = at.bars[s]![col]!;
    return Math.abs(b.x + b.w / 2 - x);
  };
  const row = at.bars.reduce((best, _, s) => (away(s) < away(best) ? s : best), 0);
  return { panel: 0, row, col };
}

/** Left and right walk the categories, up and down the series. */
export function step(at: BarsLayout, from: Spot | null, dx: number, dy: number): Spot {
  if (!from) return { panel: 0, row: 0, col: 0 };
  const limit = (n: number, size: number) => Math.min(size - 1, Math.max(0, n));
  return { panel: 0, row: limit(from.row - dy, at.ys.length), col: limit(from.col + dx, at.ys[0]!.length) };
}

export function box(at: BarsLayout, spot: Spot): Box {
  return at.bars[spot.row]![spot.col]!;
}

export function read(figure: FigureData, spot: Spot): Reading {
  const bars = data(figure);
  const scale = figure.scale(bars.y_scale);
  const unit = scale.unit ? ` ${scale.unit}` : '';
  const say = (numbers: Numbers, i: number) => {
    const s = numbers.state?.[i] ?? DONE;
    if (s !== DONE) return s === PENDING ? 'not computed yet' : 'does not exist';
    return format(scale.format, numbers.data[i]!) + unit;
  };
  const here = bars.series[spot.row]!;
  const facts: Reading['facts'] = [];
  if (here.errors) {
    const [mean, error] = [figure.numbers(here.y), figure.numbers(here.errors)];
    if (known(mean, spot.col) && known(error, spot.col)) facts.push(...errorFacts(figure.figure.interval, mean.data[spot.col]!, error.data[spot.col]!, scale.format, unit));
  }
  const last = lastOf(figure, here);
  if (last) facts.push({ name: `last ${figure.figure.slider!.name}`, value: say(last, spot.col) });
  for (const s of bars.series) if (s !== here) facts.push({ name: s.name, value: say(figure.numbers(s.y), spot.col) });
  return {
    title: `${bars.categories.name} ${labelOf(bars.categories, spot.col)}`.trim(),
    label: bars.series.length > 1 ? here.name : scale.label || here.name,
    value: say(figure.numbers(here.y), spot.col),
    facts,
    best: [],
  };
}

/** A series at the slider's last frame; null where the slider does not move it. */
export function lastOf(figure: FigureData, series: Series): Numbers | null {
  if (!figure.moves(series.y)) return null;
  return figure.at(series.y, figure.figure.slider!.labels.length - 1);
}

