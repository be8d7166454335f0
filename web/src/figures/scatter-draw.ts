// Draws the points of a scatter, its paths, labels and axes.
import { clipped, colourOf, contrast, inks, lineStyle } from './colour';
import { unitLabel } from './format';
import { drawHatched } from './grid';
import { drawKey, namesOf } from './key';
import { drawNames, flow } from './legend';
import { DONE, type FigureData } from './live';
import { drawBeyond, drawNotes, drawOdd } from './notes';
import { FONT, type View } from './painter';
import { baseTicks, drawBase, drawHeights, segment } from './plotaxes';
import { colourOfPoints, data, legendOf, viewOf, type ScatterLayout } from './scatter';
import { drawCubeBack, drawCubeNames } from './cube';

/** At most so many labels are written where points are many: one a so many pixels of width. */
const LABELS = { most: 24, least: 10, pixels: 30 };
const LABEL = FONT.mono(11);

export function draw(ctx: CanvasRenderingContext2D, figure: FigureData, at: ScatterLayout, view: View): boolean {
  const scatter = data(figure);
  const { plot, measure, mini } = at;
  const shown = viewOf(scatter, view.chosen.show);
  if (at.space) drawCubeBack(ctx, at, view);
  else {
    drawHeights(ctx, plot, at.yScale, view, measure, mini);
    drawBase(ctx, plot, baseTicks(plot, at.xScale, mini), unitLabel(at.xScale.label, at.xScale.unit), view, measure, mini);
  }
  ctx.save();
  ctx.beginPath();
  ctx.rect(plot.x - 8, plot.y - 8, plot.w + 16, plot.h + 16);
  ctx.clip();
  if (at.places.every((p) => p.odd === 'pending')) drawHatched(ctx, [plot], plot, view);
  drawPaths(ctx, figure, at, view);
  drawPoints(ctx, figure, at, view);
  if (!mini) drawLabels(ctx, figure, at, view);
  if (view.spot) drawSpot(ctx, at, view);
  ctx.restore();
  if (at.space) drawCubeNames(ctx, figure, shown, at, view);
  if (mini) return false;
  const legend = legendOf(scatter);
  const entries = flow(legend.map((e) => e.name), 8, at.legendY, at.width - 16, measure);
  drawNames(ctx, legend, entries, view, measure, (x, y, e) => drawSample(ctx, figure, legend[e]!.path, x, y, view));
  const colour = colourOfPoints(scatter, view.chosen.colour);
  if (colour && !at.keyless) {
    const scale = figure.scale(colour.scale);
    const labelled = scale.label ? scale : { ...scale, label: colour.label };
    drawKey(ctx, 8, at.keyY, at.width - 16, labelled, [figure.numbers(colour.values)], view, measure, namesOf(figure, scale));
  }
  drawNotes(ctx, at.notes, 8, at.notesY, at.width - 16, view, measure);
  return false;
}

/** What stands before a name in the legend: a piece of the path, or a point of the backdrop. */
function drawSample(ctx: CanvasRenderingContext2D, figure: FigureData, path: number, x: number, y: number, view: View): void {
  ctx.save();
  if (path >= 0) {
    pathStyle(ctx, figure, path, view);
    segment(ctx, x, y, x + 18, y);
  } else {
    ctx.fillStyle = view.inks.edge;
    ctx.globalAlpha = BEHIND;
    ctx.beginPath();
    ctx.arc(x + 9, y, 3, 0, 2 * Math.PI);
    ctx.fill();
  }
  ctx.restore();
}

/** The nearer, the stronger. */
function strength(depth: number): number {
  return 1 - 0.62 * depth;
}

/** So few points stand out on a plate. */
const FEW = 12;

function radius(at: ScatterLayout, i: number): number {
  const p = at.places[i]!;
  if (at.mini) return p.backdrop ? 1.4 : at.walk.length <= FEW ? 3.5 : 1.8;
  const many = at.places.length > 1000 ? 0.5 : at.places.length > 300 ? 0.7 : 1;
  if (p.backdrop) return 2.4 * many;
  return (at.space ? 5 - 2.4 * p.depth : 3.8) * many;
}

function pathStyle(ctx: CanvasRenderingContext2D, figure: FigureData, p: number, view: View): void {
  const { colour, dash } = lineStyle(data(figure).paths!, p, view.theme);
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.25;
  ctx.setLineDash(dash);
  ctx.lineJoin = 'round';
}

/** Paths piece by piece, fainter with distance. */
function drawPaths(ctx: CanvasRenderingContext2D, figure: FigureData, at: ScatterLayout, view: View): void {
  at.paths.forEach((runs, p) => {
    ctx.save();
    pathStyle(ctx, figure, p, view);
    for (const run of runs) {
      const places = run.map((i) => at.places[i]!);
      if (!at.space) {
        ctx.globalAlpha = 0.75;
        ctx.beginPath();
        for (const { x, y } of places) ctx.lineTo(x, y);
        ctx.stroke();
        continue;
      }
      let walked = 0;
      for (let k = 1; k < places.length; k++) {
        const [a, b] = [places[k - 1]!, places[k]!];
        // Dashes go on from piece to piece.
        ctx.lineDashOffset = walked;
        walked += Math.hypot(b.x - a.x, b.y - a.y);
        ctx.globalAlpha = 0.8 * strength((a.depth + b.depth) / 2);
        segment(ctx, a.x, a.y, b.x, b.y);
      }
    }
    ctx.restore();
  });
}

/** Fills of less contrast than this against the card have an outline. */
const FAINT = 1.35;
/** How strong the backdrop is. */
const BEHIND = 0.55;

function drawPoints(ctx: CanvasRenderingContext2D, figure: FigureData, at: ScatterLayout, view: View): void {
  const colour = colourOfPoints(data(figure), view.chosen.colour);
  const scale = colour && figure.scale(colour.scale);
  const numbers = colour && figure.numbers(colour.values);
  const ui = inks(view.theme);
  for (const i of at.order) {
    const p = at.places[i]!;
    const r = radius(at, i);
    const value = numbers?.data[i] ?? NaN;
    const known = !numbers || p.backdrop || (numbers.state?.[i] ?? DONE) === DONE;
    const fill = p.backdrop ? ui.edge : scale ? colourOf(scale, value, view.theme) : ui.blue;
    ctx.globalAlpha = p.backdrop ? BEHIND : at.space && p.odd !== 'odd' ? strength(p.depth) : 1;
    if (p.odd === 'odd' || (scale && known && !p.backdrop && !Number.isFinite(value))) drawOdd(ctx, p.x, p.y, view);
    else if (p.odd === 'beyond' && !at.space) drawBeyond(ctx, p.x, p.y, p.out[0], p.out[1], fill);
    else {
      disc(ctx, p.x, p.y, r);
      ctx.fillStyle = known ? fill : ui.card;
      ctx.fill();
      // A value near the card's colour has an outline, so that it is there.
      ctx.strokeStyle = known && contrast(fill, ui.card) > FAINT ? ui.card : ui.edge;
      ctx.lineWidth = known ? 0.75 : 1;
      ctx.stroke();
      // A ring for what is beyond its limits: dotted for the place, whole for the colour.
      const beyond = p.odd === 'beyond';
      if (!beyond && !(scale && known && !p.backdrop && clipped(scale, value) !== 0)) continue;
      disc(ctx, p.x, p.y, r + 1.5);
      ctx.strokeStyle = ui.ink;
      ctx.lineWidth = 1;
      ctx.setLineDash(beyond ? [2, 1.5] : []);
      ctx.stroke();
      ctx.setLineDash([]);
    }
  }
  ctx.globalAlpha = 1;
}

function disc(ctx: CanvasRenderingContext2D, x: number, y: number, r: number): void {
  ctx.beginPath();
  ctx.arc(x, y, r, 0, 2 * Math.PI);
}

/** The points whose labels are tried: all where they are few, else every so many. */
export function labelled(at: ScatterLayout): number[] {
  const own = at.walk.length > 0 ? at.walk : at.order;
  const most = Math.min(LABELS.most, Math.max(LABELS.least, at.plot.w / LABELS.pixels));
  const stride = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].find((s) => own.length / s <= most) ?? 2000;
  return own.filter((i) => (stride === 1 || i % stride === 0) && at.places[i]?.odd === null);
}

/** A label's place: its left end and middle. */
interface Written {
  x: number;
  y: number;
  w: number;
}

/** So few points are kept clear of labels; among more they would lose most of theirs. */
const CLEAR = 60;

/** Where a point's label goes: above it at the right if it can, else at another corner; null where it would touch another label. */
function besidePoint(at: ScatterLayout, i: number, w: number, taken: Written[]): Written | null {
  const { plot, places } = at;
  const p = places[i]!;
  const off = radius(at, i) + 3;
  const [right, left] = [p.x + off, p.x - off - w];
  const first = right + w <= plot.x + plot.w + 6 ? right : left;
  const corners = [p.y - 5, p.y + 6].flatMap((y) => [first, first === right ? left : right].map((x) => ({ x, y, w })));
  const free = (c: Written) => !taken.some((t) => c.x < t.x + t.w + 4 && c.x + w + 4 > t.x && Math.abs(c.y - t.y) < 12);
  const clear = (c: Written) => at.order.every((k) => k === i || places[k]!.x < c.x - 4 || places[k]!.x > c.x + w + 4 || Math.abs(places[k]!.y - c.y) > 9);
  const open = at.order.length <= CLEAR ? corners.find((c) => c.x >= plot.x - 6 && c.x + w <= plot.x + plot.w + 6 && free(c) && clear(c)) : undefined;
  return open ?? (free(corners[0]!) ? corners[0]! : null);
}

/** Writes labels beside their points, the nearest ones first; one that would touch another is left out. */
function drawLabels(ctx: CanvasRenderingContext2D, figure: FigureData, at: ScatterLayout, view: View): void {
  const name = data(figure).labels;
  if (!name) return;
  const taken: Written[] = [];
  ctx.font = LABEL;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  ctx.lineJoin = 'round';
  for (const i of labelled(at).sort((a, b) => at.places[a]!.depth - at.places[b]!.depth)) {
    const text = figure.text(name, i);
    const place = besidePoint(at, i, at.measure(text, LABEL), taken);
    if (!place) continue;
    taken.push(place);
    ctx.globalAlpha = at.space ? strength(at.places[i]!.depth) : 1;
    ctx.strokeStyle = view.inks.card;
    ctx.lineWidth = 3;
    ctx.strokeText(text, place.x, place.y);
    ctx.fillStyle = view.inks.soft;
    ctx.fillText(text, place.x, place.y);
  }
  ctx.globalAlpha = 1;
}

function drawSpot(ctx: CanvasRenderingContext2D, at: ScatterLayout, view: View): void {
  const i = view.spot!.col;
  const p = at.places[i];
  if (!p || !Number.isFinite(p.x)) return;
  disc(ctx, p.x, p.y, radius(at, i) + 3);
  ctx.strokeStyle = view.locked ? view.inks.brass : view.inks.ink;
  ctx.lineWidth = view.locked ? 2 : 1.5;
  ctx.stroke();
}
