// Points in a plane, or in space turned by hand: where they stand, which one
// is under the pointer, and how the keys walk them. scatter-draw.ts draws them.
import type { Coordinate, Scale, Scatter, ScatterColour, ScatterView } from '../api/types.gen';
import { format, unitLabel } from './format';
import { keyHeight, namesOf } from './key';
import { flowHeight } from './legend';
import { DONE, PENDING, type FigureData, type Numbers } from './live';
import { notesHeight, oddity, pointNotes, reserved, type Counts, type Note } from './notes';
import type { Box, Choice, Layout, Measure, Pose, Reading, Room, Spot } from './painter';
import { draggedTurn, shifted, turner, type Point } from './pose';
import { along } from './ticks';

/** One point in CSS pixels. */
export interface Place {
  x: number;
  y: number;
  /** From 0, nearest to the eye, to 1; 0 in a plane. */
  depth: number;
  /** What keeps it from standing where its numbers say; null where it stands there. */
  odd: keyof Counts | null;
  /** The direction, in the picture, of limits that it lies beyond. */
  out: [number, number];
  backdrop: boolean;
}

export interface ScatterLayout extends Layout {
  plot: Box;
  /** True in space, where the axes are a cube's edges. */
  space: boolean;
  places: Place[];
  /** The points that are drawn, from the farthest to the nearest, backdrop first. */
  order: number[];
  /** The paths as runs of point indices. */
  paths: number[][][];
  /** The points in the order of the arrow keys, and each one's place in it. */
  walk: number[];
  walked: Map<number, number>;
  /** A plane's axes as far as they are in view. */
  xScale: Scale;
  yScale: Scale;
  pose: Pose;
  /** CSS pixels of the cube's unit, and where its centre stands. */
  unit: number;
  centre: { x: number; y: number };
  legendY: number;
  keyY: number;
  notesY: number;
  notes: Note[];
  measure: Measure;
  mini: boolean;
  keyless: boolean;
}

/** Half of the cube's diagonal is 1.73: at this many units nothing but a corner leaves the plot. */
const CUBE = 1.56;
/** How far from a point the pointer may be, in CSS pixels. */
const REACH = 14;
/** The radius of a point's box. */
const RADIUS = 6;

export const follows = true;

export function data(figure: FigureData): Scatter {
  return figure.figure.scatter!;
}

export function viewOf(scatter: Scatter, show: string): ScatterView {
  const named = (name: string | undefined) => scatter.views.find((v) => v.name === name);
  return named(show) ?? named(scatter.show) ?? scatter.views[0]!;
}

export function colourOfPoints(scatter: Scatter, name: string): ScatterColour | undefined {
  return scatter.colours?.find((c) => c.name === name) ?? scatter.colours?.[0];
}

/** True when a view is in space. */
function inSpace(view: ScatterView): boolean {
  return Boolean(view.z?.values);
}

/** What stands in the legend: the named paths, and what the backdrop is. */
export function legendOf(scatter: Scatter): { name: string; control?: boolean; path: number }[] {
  const paths = (scatter.paths ?? []).map((p, path) => ({ name: p.name, control: p.control, path })).filter((p) => p.name);
  return scatter.backdrop_label ? [...paths, { name: scatter.backdrop_label, control: true, path: -1 }] : paths;
}

export function rest(figure: FigureData): Pose {
  const [azimuth = 0, elevation = 0] = data(figure).turn ?? [];
  return { azimuth, elevation, zoom: 1, x: 0, y: 0 };
}

export function drag(at: ScatterLayout, pose: Pose, dx: number, dy: number): Pose {
  return at.space ? draggedTurn(pose, dx, dy) : shifted(pose, dx / at.plot.w, dy / at.plot.h);
}

/** The pose in which a point that has gone out of view is in its middle. */
export function follow(at: ScatterLayout, pose: Pose, spot: Spot): Pose {
  const p = at.places[spot.col];
  if (!p || !Number.isFinite(p.x) || within(at.plot, p, -4)) return pose;
  const { plot } = at;
  return shifted(pose, (plot.x + plot.w / 2 - p.x) / plot.w, (plot.y + plot.h / 2 - p.y) / plot.h);
}

/** True in the plot, widened by some pixels. */
function within(plot: Box, { x, y }: { x: number; y: number }, by: number): boolean {
  return x >= plot.x - by && x <= plot.x + plot.w + by && y >= plot.y - by && y <= plot.y + plot.h + by;
}

/** The part of an axis that is in view, from shares of the whole one. */
function windowOf(scale: Scale, from: number, to: number): Scale {
  const { kind, lo, hi, reverse } = scale;
  if (from === 0 && to === 1) return scale;
  const [a, b] = reverse ? [1 - to, 1 - from] : [from, to];
  if (kind === 'log') return { ...scale, lo: lo * (hi / lo) ** a, hi: lo * (hi / lo) ** b };
  return { ...scale, lo: lo + (hi - lo) * a, hi: lo + (hi - lo) * b };
}

/** A plane whose axes have one unit is square. */
function alike(x: Scale, y: Scale): boolean {
  return x.kind !== 'log' && y.kind !== 'log' && Math.abs(x.hi - x.lo - (y.hi - y.lo)) <= 1e-6 * Math.abs(x.hi - x.lo);
}

export function layout(figure: FigureData, room: Room): ScatterLayout {
  const scatter = data(figure);
  const view = viewOf(scatter, room.chosen.show);
  const pose = room.pose ?? rest(figure);
  const mini = room.mini !== undefined;
  const keyless = mini || (room.keyless ?? false);
  const space = inSpace(view);
  const xWhole = figure.scale(view.x.scale);
  const yWhole = figure.scale(view.y.scale);
  const below = belowOf(figure, view, room, keyless);
  const plot = plotOf(room, space, alike(xWhole, yWhole), below.legend + below.keys + below.notes);
  const half = 0.5 / pose.zoom;
  const unit = (Math.min(plot.w, plot.h) / 2 / CUBE) * pose.zoom;
  const foot = plot.y + plot.h + (space ? 10 : 44);
  const at: ScatterLayout = {
    width: room.width,
    height: mini ? room.mini! : Math.ceil(foot + below.legend + below.keys + below.notes),
    ...{ plot, space, pose, unit, mini, keyless, measure: room.measure },
    centre: { x: plot.x + plot.w * (0.5 + pose.x * pose.zoom), y: plot.y + plot.h * (0.5 + pose.y * pose.zoom) },
    xScale: windowOf(xWhole, 0.5 - pose.x - half, 0.5 - pose.x + half),
    yScale: windowOf(yWhole, 0.5 + pose.y - half, 0.5 + pose.y + half),
    ...{ places: [], order: [], paths: [], walk: [], walked: new Map<number, number>(), notes: [] },
    legendY: foot + 8,
    keyY: foot + below.legend,
    notesY: foot + below.legend + below.keys,
  };
  placePoints(figure, view, at);
  at.paths = (scatter.paths ?? []).map((p) => runsOf(figure.numbers(p.order), at));
  const main = scatter.paths?.findIndex((p) => !p.control) ?? -1;
  at.walk = main >= 0 ? [...new Set(Array.from(figure.numbers(scatter.paths![main]!.order).data))] : [];
  if (at.walk.length === 0) at.walk = at.places.map((_, i) => i).filter((i) => !at.places[i]!.backdrop);
  at.walk.forEach((p, i) => at.walked.set(p, i));
  return at;
}

/** The heights of what stands below: of the tallest key, so that switching moves nothing, and of the notes at any frame. */
function belowOf(figure: FigureData, view: ScatterView, room: Room, keyless: boolean): { legend: number; keys: number; notes: number } {
  const scatter = data(figure);
  if (room.mini !== undefined) return { legend: 0, keys: 0, notes: 0 };
  const width = room.width - 16;
  const names = legendOf(scatter).map((e) => e.name);
  const legend = names.length > 0 ? flowHeight(names, width, room.measure) + 4 : 0;
  const heights = (scatter.colours ?? []).map((c) => {
    const scale = figure.scale(c.scale);
    return keyHeight(scale, [figure.whole(c.values)], width, room.measure, namesOf(figure, scale));
  });
  const counts = reserved(coordinatesOf(view).map((c) => ({ numbers: figure.whole(c.values), scale: figure.scale(c.scale) })));
  const notes = notesHeight(pointNotes(counts, figure.numbers(view.x.values).data.length, inSpace(view)), width, room.measure);
  return { legend, keys: keyless ? 0 : Math.max(0, ...heights), notes };
}

function coordinatesOf(view: ScatterView): Coordinate[] {
  return inSpace(view) ? [view.x, view.y, view.z!] : [view.x, view.y];
}

function plotOf(room: Room, space: boolean, square: boolean, below: number): Box {
  const mini = room.mini !== undefined;
  const left = space ? 0 : mini ? 40 : 58;
  const right = space ? 0 : 12;
  const top = mini ? 8 : space ? 4 : 12;
  const wide = room.width - left - right;
  if (mini) {
    const h = room.mini! - top - (space ? 8 : 30);
    return { x: left, y: top, w: wide, h };
  }
  const usual = space ? Math.min(480, Math.max(260, room.width * 0.6)) : square ? Math.min(440, wide) : Math.min(400, Math.max(220, room.width * 0.5));
  const h = Math.round(Math.max(usual, (room.tall ?? 0) - below - top - 50));
  const w = square && !space ? Math.min(wide, h) : wide;
  return { x: left + Math.round((wide - w) / 2), y: top, w, h: square && !space ? Math.min(h, w) : h };
}

/** How far inside the edge the sign of a number that is none stands. */
const MARGIN = 7;

function placePoints(figure: FigureData, view: ScatterView, at: ScatterLayout): void {
  const { plot, pose } = at;
  const turn = turner(pose);
  const axes = coordinatesOf(view).map((c) => ({ numbers: figure.numbers(c.values), scale: figure.scale(c.scale) }));
  const backdrop = data(figure).backdrop;
  const behind = backdrop ? figure.numbers(backdrop) : null;
  const counts: Counts = { pending: 0, blank: 0, odd: 0, beyond: 0 };
  let strays = 0;
  for (let i = 0; i < axes[0]!.numbers.data.length; i++) {
    const all = axes.map(({ numbers, scale }) => oddity(numbers, i, scale));
    const odd = RANK.find((what) => all.includes(what)) ?? null;
    if (odd) counts[odd]++;
    const p: Place = { x: NaN, y: NaN, depth: 0, odd, out: [0, 0], backdrop: behind?.data[i] === 1 && (behind.state?.[i] ?? DONE) === DONE };
    at.places.push(p);
    if (odd === 'pending' || odd === 'blank') continue;
    // A share of the axis; what lies beyond a limit stands at it.
    const shares = axes.map(({ numbers, scale }, k) => {
      const t = along(scale, numbers.data[i]!);
      if (all[k] === 'beyond' && k < 2) p.out[k] = k === 0 ? Math.sign(t - 0.5) : -Math.sign(t - 0.5);
      return Math.min(1, Math.max(0, all[k] === 'odd' ? Number(numbers.data[i]! > 0) : t));
    });
    if (!at.space) {
      const [tx, ty] = [(shares[0]! - 0.5 + pose.x) * pose.zoom + 0.5, (shares[1]! - 0.5 - pose.y) * pose.zoom + 0.5];
      p.x = plot.x + plot.w * tx + (all[0] === 'odd' ? MARGIN * (1 - 2 * shares[0]!) : 0);
      p.y = plot.y + plot.h * (1 - ty) - (all[1] === 'odd' ? MARGIN * (1 - 2 * shares[1]!) : 0);
    } else if (odd === 'odd') {
      p.x = Math.min(plot.x + plot.w, plot.x + MARGIN + 13 * strays++);
      p.y = plot.y + plot.h - MARGIN;
    } else {
      const seen = turn(shares.map((t) => 2 * t - 1) as unknown as Point);
      p.x = at.centre.x + at.unit * seen.right;
      p.y = at.centre.y - at.unit * seen.up;
      p.depth = Math.min(1, Math.max(0, seen.depth / (2 * Math.sqrt(3)) + 0.5));
    }
  }
  at.notes = pointNotes(counts, at.places.length, at.space);
  at.order = at.places.map((_, i) => i).filter((i) => Number.isFinite(at.places[i]!.x));
  const rank = (i: number) => Number(at.places[i]!.backdrop);
  at.order.sort((a, b) => rank(b) - rank(a) || at.places[b]!.depth - at.places[a]!.depth || a - b);
}

/** Of several coordinates the one that says most about a point. */
const RANK = ['pending', 'blank', 'odd', 'beyond'] as const;

/** The point indices of a path; a place that is not known, or a point that does not stand where it says, breaks it. */
function runsOf({ data: order, state }: Numbers, at: ScatterLayout): number[][] {
  const runs: number[][] = [[]];
  order.forEach((p, i) => {
    if ((state?.[i] ?? DONE) === DONE && at.places[p]?.odd === null) runs.at(-1)!.push(p);
    else if (runs.at(-1)!.length > 0) runs.push([]);
  });
  return runs.filter((r) => r.length > 0);
}

/** The point under the pointer: the nearest one, of two at one place the one nearer to the eye. */
export function hit(at: ScatterLayout, x: number, y: number): Spot | null {
  let best = -1;
  let reach = REACH;
  for (const i of at.order) {
    const p = at.places[i]!;
    const away = Math.hypot(p.x - x, p.y - y);
    if (away <= reach && within(at.plot, p, 8)) {
      best = i;
      reach = away;
    }
  }
  return best < 0 ? null : { panel: 0, row: 0, col: best };
}

/** Left and right go along the path, or from point to point; up and down take ten at a time where they are many. */
export function step(at: ScatterLayout, from: Spot | null, dx: number, dy: number): Spot {
  const { walk } = at;
  const stride = walk.length > 20 ? 10 : 1;
  const here = from ? at.walked.get(from.col) : undefined;
  const next = here === undefined ? 0 : Math.min(walk.length - 1, Math.max(0, here + dx + dy * stride));
  return { panel: 0, row: 0, col: walk[next] ?? 0 };
}

export function box(at: ScatterLayout, spot: Spot): Box {
  const { x = NaN, y = NaN } = at.places[spot.col] ?? {};
  return { x: (Number.isFinite(x) ? x : at.plot.x) - RADIUS, y: (Number.isFinite(y) ? y : at.plot.y) - RADIUS, w: 2 * RADIUS, h: 2 * RADIUS };
}

export function read(figure: FigureData, spot: Spot, chosen: Choice): Reading {
  const scatter = data(figure);
  const view = viewOf(scatter, chosen.show);
  const main = colourOfPoints(scatter, chosen.colour);
  const write = (values: string, scaleName: string) => {
    const { data: numbers, state } = figure.numbers(values);
    const s = state?.[spot.col] ?? DONE;
    if (s !== DONE) return s === PENDING ? 'not computed yet' : 'does not exist';
    const scale = figure.scale(scaleName);
    const v = numbers[spot.col]!;
    const named = Number.isInteger(v) ? namesOf(figure, scale)[v - scale.lo] : undefined;
    return named || [format(scale.format, v), scale.unit].filter(Boolean).join(' ');
  };
  const facts = (scatter.colours ?? []).filter((c) => c !== main).map((c) => ({ name: c.label, value: write(c.values, c.scale) }));
  coordinatesOf(view).forEach((c, i) => facts.push({ name: unitLabel(figure.scale(c.scale).label) || 'xyz'[i]!, value: write(c.values, c.scale) }));
  const title = (scatter.labels && figure.text(scatter.labels, spot.col)) || `point ${spot.col}`;
  if (main) return { title, label: main.label, value: write(main.values, main.scale), facts, best: [] };
  const [first, ...others] = facts;
  return { title, label: first!.name, value: first!.value, facts: others, best: [] };
}
