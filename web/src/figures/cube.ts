// The axes of points in space: the far edges of their cube, and at three of
// its outer edges the limits and the name.
import type { Scale, ScatterView } from '../api/types.gen';
import { format, unitLabel } from './format';
import type { FigureData } from './live';
import { fit, type View } from './painter';
import { SMALL, segment } from './plotaxes';
import { turner, type Point, type Seen } from './pose';
import type { ScatterLayout } from './scatter';

/** An edge of the cube between two corners, along an axis. */
export interface Edge {
  axis: 0 | 1 | 2;
  from: Point;
  to: Point;
}

const SIDES = [-1, 1] as const;

/** The twelve edges. */
export const EDGES: readonly Edge[] = ([0, 1, 2] as const).flatMap((axis) =>
  SIDES.flatMap((a) =>
    SIDES.map((b) => {
      const corner = (v: number): Point => {
        const p: number[] = [a, b];
        p.splice(axis, 0, v);
        return p as unknown as Point;
      };
      return { axis, from: corner(-1), to: corner(1) };
    }),
  ),
);

type Turn = (p: Point) => Seen;

function middle({ from, to }: Edge): Point {
  return from.map((v, i) => (v + to[i]!) / 2) as unknown as Point;
}

/** The edges behind the points: all but the three that meet at the corner nearest to the eye. */
export function backEdges(turn: Turn): Edge[] {
  const corners = SIDES.flatMap((x) => SIDES.flatMap((y) => SIDES.map((z): Point => [x, y, z])));
  const nearest = corners.reduce((best, c) => (turn(c).depth < turn(best).depth - 1e-9 ? c : best));
  const touches = (e: Edge) => [e.from, e.to].some((p) => p.every((v, i) => v === nearest[i]));
  return EDGES.filter((e) => !touches(e));
}

/** The edge at which an axis is written: the outermost one below for x and y, the leftmost for z. */
export function namedEdge(axis: 0 | 1 | 2, turn: Turn): Edge {
  const score = (e: Edge) => {
    const seen = turn(middle(e));
    return axis === 2 ? -seen.right : -seen.up;
  };
  return EDGES.filter((e) => e.axis === axis).reduce((best, e) => (score(e) > score(best) + 1e-9 ? e : best));
}

function placer(at: ScatterLayout): (p: Point) => { x: number; y: number } {
  const turn = turner(at.pose);
  const { centre, unit } = at;
  return (p) => {
    const seen = turn(p);
    return { x: centre.x + unit * seen.right, y: centre.y - unit * seen.up };
  };
}

export function drawCubeBack(ctx: CanvasRenderingContext2D, at: ScatterLayout, view: View): void {
  const place = placer(at);
  const turn = turner(at.pose);
  ctx.save();
  clip(ctx, at);
  ctx.lineWidth = 1;
  ctx.strokeStyle = view.inks.line2;
  for (const { from, to } of backEdges(turn)) {
    const [a, b] = [place(from), place(to)];
    segment(ctx, a.x, a.y, b.x, b.y);
  }
  ctx.restore();
}

function clip(ctx: CanvasRenderingContext2D, { plot }: ScatterLayout): void {
  ctx.beginPath();
  ctx.rect(plot.x - 8, plot.y - 8, plot.w + 16, plot.h + 16);
  ctx.clip();
}

/** Three axes with their limits at the ends and the name at the middle, pushed outwards from the cube. */
export function drawCubeNames(ctx: CanvasRenderingContext2D, figure: FigureData, shown: ScatterView, at: ScatterLayout, view: View): void {
  const place = placer(at);
  const turn = turner(at.pose);
  const centre = place([0, 0, 0]);
  ctx.font = SMALL;
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'center';
  ctx.lineWidth = 1;
  const words: Word[] = [];
  ([shown.x, shown.y, shown.z!] as const).forEach((coordinate, axis) => {
    const scale = figure.scale(coordinate.scale);
    const edge = namedEdge(axis as 0 | 1 | 2, turn);
    const [a, b] = [place(edge.from), place(edge.to)];
    const length = Math.hypot(b.x - a.x, b.y - a.y);
    if (length < 24) return;
    ctx.strokeStyle = view.inks.edge;
    ctx.save();
    clip(ctx, at);
    segment(ctx, a.x, a.y, b.x, b.y);
    ctx.restore();
    // Outwards: at a right angle to the edge, away from the cube's centre.
    const m = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
    let out = { x: -(b.y - a.y) / length, y: (b.x - a.x) / length };
    if (out.x * (m.x - centre.x) + out.y * (m.y - centre.y) < 0) out = { x: -out.x, y: -out.y };
    const write = (p: { x: number; y: number }, text: string, away: number, name: boolean) => {
      const w = at.measure(text, SMALL);
      const push = away + (Math.abs(out.x) * w) / 2;
      const x = Math.min(at.plot.x + at.plot.w - w / 2, Math.max(at.plot.x + w / 2, p.x + out.x * push));
      words.push({ x, y: p.y + out.y * push, w, text, name });
    };
    if (!at.mini) {
      const [first, last] = ends(scale);
      const inner = 0.06;
      write({ x: a.x + (b.x - a.x) * inner, y: a.y + (b.y - a.y) * inner }, first, 11, false);
      write({ x: b.x - (b.x - a.x) * inner, y: b.y - (b.y - a.y) * inner }, last, 11, false);
    }
    // A plate has room for the name alone, not for what follows it.
    const label = at.mini ? scale.label.split(' · ')[0]! : unitLabel(scale.label, scale.unit);
    const name = fit(at.measure, label, SMALL, Math.max(60, at.mini ? 60 : length - 40));
    write(m, name, 13, true);
  });
  for (const { x, y, text, name } of apart(words)) {
    if (y < at.plot.y || y > at.plot.y + at.plot.h + 6) continue;
    ctx.fillStyle = name ? view.inks.mute : view.inks.soft;
    ctx.fillText(text, x, y);
  }
}

/** A limit or a name of an axis, about its middle. */
interface Word {
  x: number;
  y: number;
  w: number;
  text: string;
  name: boolean;
}

/** The words of which none touches another: a name goes a line down from limits that it would touch; what still touches is left out. */
export function apart(words: Word[]): Word[] {
  const out: Word[] = [];
  const free = (a: Word) => out.every((b) => Math.abs(a.x - b.x) >= (a.w + b.w) / 2 + 5 || Math.abs(a.y - b.y) >= 13);
  for (const word of [...words].sort((a, b) => Number(a.name) - Number(b.name))) {
    const lower = { ...word, y: word.y + 14 };
    if (free(word)) out.push(word);
    else if (word.name && free(lower)) out.push(lower);
  }
  return out;
}

/** The limits as they are written at the ends of an edge. */
function ends({ lo, hi, format: spec, reverse }: Scale): [string, string] {
  const [a, b] = [format(spec, lo), format(spec, hi)];
  return reverse ? [b, a] : [a, b];
}
