// Draws clock faces: circle, numbers around, points, hands and their sum.
import type { Dial } from '../api/types.gen';
import { colourOf, handColour } from './colour';
import { TITLE, aroundOf, data,  keysOf, noteOf, onFace, orderless, type DialsLayout, type Face } from './dials';
import { hatchPath } from './grid';
import { drawKey, keyHeight } from './key';
import { DONE, type FigureData } from './live';
import { drawBeyond, drawNotes, drawOdd } from './notes';
import { FONT, fit, type View } from './painter';
import { SMALL, segment } from './plotaxes';

const AROUND = FONT.mono(11);
const HAND = FONT.mono(13, 700);
const NOTE = FONT.ui(12);

export function draw(ctx: CanvasRenderingContext2D, figure: FigureData, at: DialsLayout, view: View): boolean {
  const { items } = data(figure);
  at.faces.forEach((face, i) => drawFace(ctx, figure, items[i]!, face, at, view));
  let keyY = at.keyY + 4;
  for (const key of at.keyless ? [] : keysOf(figure)) {
    drawKey(ctx, 4, keyY, at.width - 8, key.scale, key.now, view, at.measure, key.names);
    keyY += keyHeight(key.scale, key.whole, at.width - 8, at.measure, key.names);
  }
  drawNotes(ctx, at.notes, 4, at.notesY, at.width - 8, view, at.measure);
  if (view.spot) {
    const face = at.faces[view.spot.panel]!;
    ctx.beginPath();
    ctx.arc(face.xs[view.spot.col]!, face.ys[view.spot.col]!, 6.5, 0, 2 * Math.PI);
    ctx.strokeStyle = view.locked ? view.inks.brass : view.inks.ink;
    ctx.lineWidth = view.locked ? 2 : 1.5;
    ctx.stroke();
  }
  return false;
}

function drawFace(ctx: CanvasRenderingContext2D, figure: FigureData, dial: Dial, face: Face, at: DialsLayout, view: View): void {
  const { inks } = view;
  const none = orderless(figure, dial);
  ctx.lineWidth = 1;
  ctx.strokeStyle = inks.line2;
  ctx.beginPath();
  ctx.arc(face.cx, face.cy, face.r, 0, 2 * Math.PI);
  ctx.stroke();
  ctx.setLineDash([2, 3]);
  segment(ctx, face.cx, face.cy, face.cx, face.cy - face.r);
  ctx.setLineDash([]);
  const several = at.mini && at.faces.length > 1;
  if (!at.mini || several) drawTitle(ctx, figure, dial, face, at, view);
  if (!several) drawAround(ctx, figure, dial, face, at, view);
  if (!none) drawSum(ctx, figure, dial, face, view);
  if (face.odd.length > 0 && face.odd.every((what) => what === 'pending')) {
    const path = new Path2D();
    path.arc(face.cx, face.cy, face.r, 0, 2 * Math.PI);
    hatchPath(ctx, path, { x: face.cx - face.r, y: face.cy - face.r, w: 2 * face.r, h: 2 * face.r }, view);
  }
  drawPoints(ctx, figure, dial, face, at, view);
  for (const hand of dial.hands ?? []) {
    const tip = tipOf(figure, hand, face);
    if (!tip) continue;
    const colour = handColour(hand.role ?? '', view.theme);
    ctx.strokeStyle = colour;
    ctx.lineWidth = hand.role === 'answer' ? 2.6 : 1.8;
    segment(ctx, face.cx, face.cy, tip.x, tip.y);
    ctx.beginPath();
    ctx.arc(tip.x, tip.y, at.mini ? 2.5 : 5, 0, 2 * Math.PI);
    ctx.fillStyle = colour;
    ctx.fill();
    ctx.strokeStyle = inks.card;
    ctx.lineWidth = 1.5;
    ctx.stroke();
    if (!at.mini) drawHandName(ctx, hand.name, tip, face, colour, view);
  }
  ctx.beginPath();
  ctx.arc(face.cx, face.cy, 2.5, 0, 2 * Math.PI);
  ctx.fillStyle = inks.ink;
  ctx.fill();
  if (!at.mini && none) {
    ctx.font = NOTE;
    ctx.fillStyle = inks.soft;
    ctx.textAlign = 'center';
    ctx.textBaseline = 'middle';
    ctx.fillText(fit(at.measure, none, NOTE, face.w), face.cx, face.cy + face.size / 2 + 10);
  }
}

function drawTitle(ctx: CanvasRenderingContext2D, figure: FigureData, dial: Dial, face: Face, at: DialsLayout, view: View): void {
  const note = at.mini ? '' : noteOf(figure, dial);
  const font = at.mini ? SMALL : TITLE;
  const title = fit(at.measure, dial.title, font, face.w);
  const wide = at.measure(title, font);
  const room = face.w - wide - 10;
  const words = room > 40 ? fit(at.measure, note, NOTE, room) : '';
  const total = wide + (words ? 8 + at.measure(words, NOTE) : 0);
  const x = face.cx - total / 2;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  ctx.font = font;
  ctx.fillStyle = at.mini ? view.inks.soft : view.inks.ink;
  ctx.fillText(title, x, face.titleY + (at.mini ? 8 : 10));
  ctx.font = NOTE;
  ctx.fillStyle = view.inks.mute;
  ctx.fillText(words, x + wide + 8, face.titleY + 10);
}

/** Numbers around the face, none where a hand's name stands. */
function drawAround(ctx: CanvasRenderingContext2D, figure: FigureData, dial: Dial, face: Face, at: DialsLayout, view: View): void {
  const hands = (dial.hands ?? []).flatMap((hand) => {
    const tip = tipOf(figure, hand, face);
    return tip ? [Math.atan2(tip.x - face.cx, face.cy - tip.y)] : [];
  });
  ctx.font = at.mini ? SMALL : AROUND;
  ctx.fillStyle = view.inks.mute;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  const all = aroundOf(figure, dial, face.r);
  const every = at.mini ? Math.max(1, Math.ceil(all.length / 4)) : 1;
  for (const [k, { angle, text }] of all.entries()) {
    if (k % every !== 0) continue;
    const near = (other: number) => Math.abs(Math.atan2(Math.sin(angle - other), Math.cos(angle - other))) * face.ring < 20;
    if (!at.mini && hands.some(near)) continue;
    ctx.fillText(text, face.cx + face.ring * Math.sin(angle), face.cy - face.ring * Math.cos(angle));
  }
}

function tipOf(figure: FigureData, hand: { x: string; y: string }, face: Face): { x: number; y: number } | null {
  const x = figure.numbers(hand.x);
  const y = figure.numbers(hand.y);
  const known = (x.state?.[0] ?? DONE) === DONE && (y.state?.[0] ?? DONE) === DONE && Number.isFinite(x.data[0]! + y.data[0]!);
  return known ? onFace(face, x.data[0]!, y.data[0]!) : null;
}

/** The name of a hand beyond its tip. */
function drawHandName(ctx: CanvasRenderingContext2D, name: string, tip: { x: number; y: number }, face: Face, colour: string, view: View): void {
  const away = Math.max(1, Math.hypot(tip.x - face.cx, tip.y - face.cy));
  // Beyond the tip, or where there is no room, on the hand.
  const outside = Math.max(away + 14, Math.min(face.ring, away + 30));
  const far = outside + 6 <= face.size / 2 ? outside : away - 22;
  const x = face.cx + ((tip.x - face.cx) / away) * far;
  const y = face.cy + ((tip.y - face.cy) / away) * far;
  ctx.font = HAND;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  ctx.lineWidth = 4;
  ctx.lineJoin = 'round';
  ctx.strokeStyle = view.inks.card;
  ctx.strokeText(name, x, y);
  ctx.fillStyle = colour;
  ctx.fillText(name, x, y);
}

/** The angle of a from the top, and after it that of b: where both end, the sum is. */
function drawSum(ctx: CanvasRenderingContext2D, figure: FigureData, dial: Dial, face: Face, view: View): void {
  const angle = (role: 'a' | 'b') => {
    const hand = dial.hands?.find((h) => h.role === role);
    const tip = hand && tipOf(figure, hand, face);
    return tip ? (Math.atan2(tip.x - face.cx, face.cy - tip.y) + 2 * Math.PI) % (2 * Math.PI) : null;
  };
  const [a, b] = [angle('a'), angle('b')];
  if (a === null || b === null) return;
  const top = -Math.PI / 2;
  ctx.lineWidth = 2;
  ctx.strokeStyle = handColour('a', view.theme);
  ctx.beginPath();
  ctx.arc(face.cx, face.cy, face.r * 0.3, top, top + a);
  ctx.stroke();
  ctx.strokeStyle = handColour('b', view.theme);
  ctx.setLineDash([5, 3]);
  ctx.beginPath();
  ctx.arc(face.cx, face.cy, face.r * 0.3, top + a, top + a + b);
  ctx.stroke();
  ctx.setLineDash([]);
}

function drawPoints(ctx: CanvasRenderingContext2D, figure: FigureData, dial: Dial, face: Face, at: DialsLayout, view: View): void {
  const scale = dial.scale ? figure.scale(dial.scale) : null;
  const values = dial.colour ? figure.numbers(dial.colour).data : null;
  const r = at.mini ? 1.8 : face.xs.length > 200 ? 2.2 : 3;
  for (let i = 0; i < face.xs.length; i++) {
    const [px, py] = [face.xs[i]!, face.ys[i]!];
    if (!Number.isFinite(px + py)) continue;
    const value = values?.[i] ?? NaN;
    if (face.odd[i] === 'odd' || (scale && values && !Number.isFinite(value))) {
      drawOdd(ctx, px, py, view);
      continue;
    }
    const fill = scale && values ? colourOf(scale, value, view.theme) : view.inks.blue;
    if (face.odd[i] === 'beyond') {
      drawBeyond(ctx, px, py, px - face.cx, py - face.cy, fill);
      continue;
    }
    ctx.beginPath();
    ctx.arc(px, py, r, 0, 2 * Math.PI);
    ctx.fillStyle = fill;
    ctx.fill();
  }
}
