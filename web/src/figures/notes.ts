// What stands under a plot in words: how many numbers are not there yet, are
// none, or lie beyond the limits, each with its sign. The exported picture
// has the same.
import type { Scale } from '../api/types.gen';
import { drawHatched } from './grid';
import { DONE, PENDING, type Numbers } from './live';
import type { Measure, View } from './painter';
import { SMALL } from './plotaxes';
import { along } from './ticks';

export interface Counts {
  pending: number;
  blank: number;
  odd: number;
  beyond: number;
}

export interface Note {
  sign: keyof Counts;
  text: string;
}

const LINE = 20;
const SIGN = 18;
const APART = 16;

/** How a number stands on an axis; null where it stands as it says. */
export function oddity(numbers: Numbers, i: number, scale: Scale | null): keyof Counts | null {
  const state = numbers.state?.[i] ?? DONE;
  if (state !== DONE) return state === PENDING ? 'pending' : 'blank';
  const v = numbers.data[i]!;
  if (!Number.isFinite(v) || (scale?.kind === 'log' && v <= 0)) return 'odd';
  if (!scale) return null;
  const t = along(scale, v);
  return t < -1e-9 || t > 1 + 1e-9 ? 'beyond' : null;
}

export function counted(arrays: { numbers: Numbers; scale: Scale | null }[]): Counts {
  const out: Counts = { pending: 0, blank: 0, odd: 0, beyond: 0 };
  for (const { numbers, scale } of arrays) {
    for (let i = 0; i < numbers.data.length; i++) {
      const what = oddity(numbers, i, scale);
      if (what) out[what]++;
    }
  }
  return out;
}

/**
 * The counts that room is kept for: of all frames, and of numbers that came
 * while the figure was drawn, so that nothing moves when the last one comes.
 */
export function reserved(arrays: { numbers: Numbers; scale: Scale | null }[]): Counts {
  const out = counted(arrays);
  if (arrays.some(({ numbers }) => numbers.state)) out.pending = Math.max(1, out.pending);
  return out;
}

/** The notes of numbers in a plot; what is blank there needs no word. */
export function plainNotes({ pending, odd, beyond }: Counts): Note[] {
  const out: Note[] = [];
  if (pending > 0) out.push({ sign: 'pending', text: `${pending} not yet computed` });
  if (odd > 0) out.push({ sign: 'odd', text: `${odd} not a number, or infinite` });
  if (beyond > 0) out.push({ sign: 'beyond', text: `${beyond} beyond the limits` });
  return out;
}

/** The notes of points. */
export function pointNotes({ pending, blank, odd, beyond }: Counts, all: number, space: boolean): Note[] {
  const points = (n: number, what: string) => `${n} ${n === 1 ? 'point' : 'points'} ${what}`;
  const out: Note[] = [];
  if (pending > 0) out.push({ sign: 'pending', text: `${pending} of ${all} points not yet computed` });
  if (odd > 0) out.push({ sign: 'odd', text: points(odd, 'with no finite place, at the margin') });
  if (beyond > 0) out.push({ sign: 'beyond', text: points(beyond, `beyond the limits, ${space ? 'on the box' : 'at the edge'}`) });
  if (blank > 0) out.push({ sign: 'blank', text: points(blank, 'blank: cannot exist') });
  return out;
}

function rows(notes: Note[], width: number, measure: Measure): Note[][] {
  const out: Note[][] = [];
  let x = 0;
  for (const note of notes) {
    const w = SIGN + measure(note.text, SMALL);
    if (out.length === 0 || x + w > width) {
      out.push([]);
      x = 0;
    }
    out.at(-1)!.push(note);
    x += w + APART;
  }
  return out;
}

export function notesHeight(notes: Note[], width: number, measure: Measure): number {
  return LINE * rows(notes, width, measure).length;
}

export function drawNotes(ctx: CanvasRenderingContext2D, notes: Note[], x: number, y: number, width: number, view: View, measure: Measure): void {
  rows(notes, width, measure).forEach((row, k) => {
    let at = x;
    const middle = y + k * LINE + LINE / 2;
    for (const { sign, text } of row) {
      drawSign(ctx, sign, at + 6, middle, view);
      ctx.font = SMALL;
      ctx.textAlign = 'left';
      ctx.textBaseline = 'middle';
      ctx.fillStyle = view.inks.soft;
      ctx.fillText(text, at + SIGN, middle + 0.5);
      at += SIGN + measure(text, SMALL) + APART;
    }
  });
}

function drawSign(ctx: CanvasRenderingContext2D, sign: keyof Counts, x: number, y: number, view: View): void {
  if (sign === 'odd') return drawOdd(ctx, x, y, view);
  if (sign === 'beyond') return drawBeyond(ctx, x, y - 4, 0, -1, view.inks.ink);
  const box = { x: x - 6, y: y - 5, w: 12, h: 10 };
  if (sign === 'pending') return drawHatched(ctx, [box], box, view);
  ctx.strokeStyle = view.inks.edge;
  ctx.lineWidth = 1;
  ctx.setLineDash([1, 2]);
  ctx.strokeRect(box.x, box.y, box.w, box.h);
  ctx.setLineDash([]);
}

/** The sign of a number that is none, or infinite: a ring with a cross. */
export function drawOdd(ctx: CanvasRenderingContext2D, x: number, y: number, view: View): void {
  ctx.beginPath();
  ctx.arc(x, y, 4.5, 0, 2 * Math.PI);
  ctx.fillStyle = view.inks.warn_bg;
  ctx.fill();
  ctx.moveTo(x - 2, y - 2);
  ctx.lineTo(x + 2, y + 2);
  ctx.moveTo(x + 2, y - 2);
  ctx.lineTo(x - 2, y + 2);
  ctx.strokeStyle = view.inks.warn;
  ctx.lineWidth = 1.25;
  ctx.stroke();
}

/** The sign of what lies further out in a direction: an arrowhead whose tip is here. */
export function drawBeyond(ctx: CanvasRenderingContext2D, x: number, y: number, dx: number, dy: number, colour: string): void {
  const r = Math.hypot(dx, dy);
  if (r === 0) return;
  const [ux, uy] = [dx / r, dy / r];
  ctx.fillStyle = colour;
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.lineTo(x - 7 * ux - 4 * uy, y - 7 * uy + 4 * ux);
  ctx.lineTo(x - 7 * ux + 4 * uy, y - 7 * uy - 4 * ux);
  ctx.fill();
}

