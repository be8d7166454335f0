// Clock faces, one a period: residue 0 at the top and numbers clockwise. The
// cosine's direction points up, the sine's to the right. dials-draw.ts draws them.
import type { Dial, Dials, Scale } from '../api/types.gen';
import { format } from './format';
import { keyHeight, namesOf } from './key';
import { DONE, PENDING, type FigureData, type Numbers } from './live';
import { notesHeight, oddity, plainNotes, type Counts, type Note } from './notes';
import { FONT, type Box, type Layout, type Measure, type Reading, type Room, type Spot } from './painter';

/** One face in CSS pixels. */
export interface Face {
  cx: number;
  cy: number;
  /** The radius of the unit circle, and of the numbers around it. */
  r: number;
  ring: number;
  /** The side of its square, and the slot that it has with its title. */
  size: number;
  x: number;
  w: number;
  titleY: number;
  xs: number[];
  ys: number[];
  /** What keeps a point from standing where its numbers say. */
  odd: (keyof Counts | null)[];
}

export interface DialsLayout extends Layout {
  faces: Face[];
  keyY: number;
  notesY: number;
  notes: Note[];
  measure: Measure;
  mini: boolean;
  keyless: boolean;
}

export const TITLE = FONT.ui(12.5, 600);
/** A point farther out than so many radii is drawn there. */
export const FAR = 1.35;
const LEAST = 250;
const MOST = 340;
const BETWEEN = 20;
const TITLE_HEIGHT = 24;
/** The line under a face that says when there is no circle. */
const UNDER = 20;
/** The numbers around a face stand so far outside its points. */
const CLEAR = 12;
const REACH = 14;
/** The share of the points' variance that must be one turn of the period for a circle. */
const CIRCLE = 0.5;

export const follows = true;

export function data(figure: FigureData): Dials {
  return figure.figure.dials!;
}

export function layout(figure: FigureData, room: Room): DialsLayout {
  const { items } = data(figure);
  const mini = room.mini !== undefined;
  const shown = mini ? items.slice(0, 4) : items;
  const fit = mini ? Math.min(2, shown.length) : Math.max(1, Math.min(shown.length, Math.floor((room.width + BETWEEN) / (LEAST + BETWEEN))));
  const rows = Math.ceil(shown.length / fit);
  // Rows of about one length: four are two and two, not three and one.
  const abreast = Math.ceil(shown.length / rows);
  const slot = (room.width - BETWEEN * (abreast - 1)) / abreast;
  const usual = Math.min(MOST, slot);
  // In a plate several faces have their titles and no numbers around.
  const named = mini && shown.length > 1;
  const size = mini ? Math.min(room.mini! / rows - (named ? 16 : 0), slot) : Math.max(usual, Math.min(slot, (room.tall ?? 0) / rows - TITLE_HEIGHT - UNDER - 30));
  const head = mini ? (named ? 16 : 0) : TITLE_HEIGHT;
  const under = mini ? 0 : UNDER;
  const between = mini ? 0 : 8;
  const faces = shown.map((dial, i): Face => {
    const x = (i % abreast) * (slot + BETWEEN);
    const titleY = Math.floor(i / abreast) * (head + size + under + between);
    const far = extent(figure, dial);
    const clear = named ? -6 : mini ? 9 : CLEAR;
    const r = Math.max(20, (size / 2 - clear - 11) / far);
    const ring = r * far + clear;
    const face = { cx: x + slot / 2, cy: titleY + head + size / 2, r, ring, size, x, w: slot, titleY };
    return { ...face, ...placed(figure, dial, face) };
  });
  const y = rows * (head + size + under + between) - between;
  const keyless = mini || (room.keyless ?? false);
  const keys = keyless ? 0 : keysOf(figure).reduce((sum, k) => sum + keyHeight(k.scale, k.whole, room.width - 8, room.measure, k.names), 4);
  const kept = mini ? 0 : notesHeight(keptNotes(figure), room.width - 8, room.measure);
  const height = mini ? room.mini! : Math.ceil(y + keys + kept);
  const notes = mini ? [] : plainNotes(countsOf(figure, (name) => figure.numbers(name)));
  return { width: room.width, height, faces, keyY: y, notesY: y + keys, notes, measure: room.measure, mini, keyless };
}

/** The notes that room is kept for: of all frames, and of numbers that came while the figure was drawn. */
function keptNotes(figure: FigureData): Note[] {
  const read = (name: string) => figure.whole(name);
  const came = data(figure).items.some((d) => read(d.x).state);
  return plainNotes({ ...countsOf(figure, read), ...(came && { pending: 1 }) });
}

function countsOf(figure: FigureData, read: (name: string) => Numbers): Counts {
  const all: Counts = { pending: 0, blank: 0, odd: 0, beyond: 0 };
  for (const { x, y, hands } of data(figure).items) {
    for (const pair of [{ x, y }, ...(hands ?? [])]) {
      const [a, b] = [read(pair.x), read(pair.y)];
      for (let i = 0; i < a.data.length; i++) {
        const what = oddityOf(a, b, i, i % b.data.length);
        if (what) all[what]++;
      }
    }
  }
  return all;
}

/** What keeps a pair of components from standing where they say. */
function oddityOf(x: Numbers, y: Numbers, i: number, j = i): keyof Counts | null {
  const all = [oddity(x, i, null), oddity(y, j, null)];
  const odd = (['pending', 'blank', 'odd'] as const).find((what) => all.includes(what));
  return odd ?? (Math.hypot(x.data[i]!, y.data[j]!) > FAR ? 'beyond' : null);
}

/** A colour key of dials, with what has its colours at this frame and at all. */
export interface DialKey {
  scale: Scale;
  names: string[];
  now: Numbers[];
  whole: Numbers[];
}

/** One key a scale, in the order of the dials. */
export function keysOf(figure: FigureData): DialKey[] {
  const coloured = data(figure).items.filter((d) => d.colour && d.scale);
  return [...new Set(coloured.map((d) => d.scale!))].map((name) => {
    const scale = figure.scale(name);
    const arrays = coloured.filter((d) => d.scale === name).map((d) => d.colour!);
    return { scale, names: namesOf(figure, scale), now: arrays.map((a) => figure.numbers(a)), whole: arrays.map((a) => figure.whole(a)) };
  });
}

/** How far out the points of all frames reach, in radii. */
function extent(figure: FigureData, dial: Dial): number {
  const { data: x, state } = figure.whole(dial.x);
  const { data: y } = figure.whole(dial.y);
  let most = 1;
  for (let i = 0; i < x.length; i++) {
    const away = Math.hypot(x[i]!, y[i % y.length]!);
    if ((state?.[i] ?? DONE) === DONE && Number.isFinite(away)) most = Math.max(most, away);
  }
  return Math.min(FAR, most);
}

/** Where a pair of components stands; one farther out than FAR stands there. */
export function onFace(face: Pick<Face, 'cx' | 'cy' | 'r'>, x: number, y: number): { x: number; y: number } {
  const away = Math.hypot(x, y);
  const k = away > FAR ? FAR / away : 1;
  return { x: face.cx + face.r * y * k, y: face.cy - face.r * x * k };
}

function placed(figure: FigureData, dial: Dial, face: Pick<Face, 'cx' | 'cy' | 'r' | 'size'>): Pick<Face, 'xs' | 'ys' | 'odd'> {
  const x = figure.numbers(dial.x);
  const y = figure.numbers(dial.y);
  const out: Pick<Face, 'xs' | 'ys' | 'odd'> = { xs: [], ys: [], odd: [] };
  let strays = 0;
  for (let i = 0; i < x.data.length; i++) {
    const what = oddityOf(x, y, i);
    const none = what === 'pending' || what === 'blank';
    // Numbers that are none stand in a row at the foot.
    const row = () => ({ x: face.cx - face.size / 2 + 8 + 12 * strays++, y: face.cy + face.size / 2 - 6 });
    const at = none ? { x: NaN, y: NaN } : what === 'odd' ? row() : onFace(face, x.data[i]!, y.data[i]!);
    out.xs.push(at.x);
    out.ys.push(at.y);
    out.odd.push(what);
  }
  return out;
}

/** The words beside a dial's title, at the present frame. */
export function noteOf(figure: FigureData, dial: Dial): string {
  return dial.note_text ? figure.text(dial.note_text, 0) : (dial.note ?? '');
}

/** The numbers that the points stand for, where their labels are numbers. */
function numbersOf(figure: FigureData, dial: Dial): number[] | null {
  const labels = dial.labels ? figure.words(dial.labels)?.values : undefined;
  if (!labels || labels.length === 0) return null;
  const numbers = labels.map((l) => (l.trim() === '' ? NaN : Number(l)));
  return numbers.every(Number.isFinite) ? numbers : null;
}

/**
 * How much of the points' variance is one turn of the dial's period in the order
 * of their numbers, whichever way round and wherever it begins; null where the
 * points have no numbers or no length.
 */
export function circleShare(figure: FigureData, dial: Dial): number | null {
  const numbers = numbersOf(figure, dial);
  if (!numbers) return null;
  const x = figure.numbers(dial.x);
  const y = figure.numbers(dial.y);
  let [count, power] = [0, 0];
  const sums = [0, 0, 0, 0];
  numbers.forEach((v, i) => {
    const [a, b] = [x.data[i]!, y.data[i]!];
    if ((x.state?.[i] ?? DONE) !== DONE || !Number.isFinite(a + b)) return;
    const [c, s] = [Math.cos((2 * Math.PI * v) / dial.period), Math.sin((2 * Math.PI * v) / dial.period)];
    count++;
    power += a * a + b * b;
    sums[0]! += a * c + b * s;
    sums[1]! += b * c - a * s;
    sums[2]! += a * c - b * s;
    sums[3]! += b * c + a * s;
  });
  const along = Math.max(Math.hypot(sums[0]!, sums[1]!), Math.hypot(sums[2]!, sums[3]!));
  return power === 0 ? null : (along * along) / (count * power);
}

/** What is said of a face whose points are no circle; empty of one that has it, or of points without numbers. */
export function orderless(figure: FigureData, dial: Dial): string {
  const share = circleShare(figure, dial);
  return share === null || share >= CIRCLE ? '' : `no circle${figure.moves(dial.x) ? ' yet' : ''}: ${(100 * share).toFixed(0)} % of the points’ variance is in order`;
}

/** What stands around a face: a text at an angle clockwise from the top. */
export interface Around {
  angle: number;
  text: string;
}

/** The residues of a whole period, else the numbers of the points at their place; as many as fit around. */
export function aroundOf(figure: FigureData, dial: Dial, r: number): Around[] {
  const most = Math.max(4, Math.floor((2 * Math.PI * (r + 14)) / 30));
  if (Number.isInteger(dial.period) && dial.period <= 1000) {
    const every = [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500].find((e) => dial.period / e <= most) ?? 1000;
    const count = Math.ceil(dial.period / every);
    const close = dial.period - (count - 1) * every < every * 0.6 && count > 2;
    return Array.from({ length: close ? count - 1 : count }, (_, k) => ({ angle: (2 * Math.PI * k * every) / dial.period, text: String(k * every) }));
  }
  const numbers = numbersOf(figure, dial);
  if (!numbers) return [];
  const labels = figure.words(dial.labels!)!.values;
  const turns = numbers.map((v, i) => ({ text: labels[i]!, turn: (((v / dial.period) % 1) + 1) % 1 })).sort((a, b) => a.turn - b.turn);
  const out: Around[] = [];
  for (const { text, turn } of turns) {
    const last = out.at(-1);
    if (last && turn * most < (last.angle / (2 * Math.PI)) * most + 1) continue;
    if (out.length > 0 && 1 - turn < 1 / most) break;
    out.push({ angle: 2 * Math.PI * turn, text });
  }
  return out;
}

export function hit(at: DialsLayout, x: number, y: number): Spot | null {
  let best: Spot | null = null;
  let reach = REACH;
  at.faces.forEach((face, panel) => {
    for (let col = 0; col < face.xs.length; col++) {
      const away = Math.hypot(face.xs[col]! - x, face.ys[col]! - y);
      if (away <= reach) {
        best = { panel, row: 0, col };
        reach = away;
      }
    }
  });
  return best;
}

/** Left and right go from number to number and on to the next dial, up and down from dial to dial. */
export function step(at: DialsLayout, from: Spot | null, dx: number, dy: number): Spot {
  if (!from) return { panel: 0, row: 0, col: 0 };
  const last = at.faces.length - 1;
  let panel = Math.min(last, Math.max(0, from.panel - dy));
  let col = from.col + dx;
  if (col < 0 && panel > 0) col += at.faces[--panel]!.xs.length;
  else if (col >= at.faces[panel]!.xs.length && panel < last) col -= at.faces[panel++]!.xs.length;
  return { panel, row: 0, col: Math.min(at.faces[panel]!.xs.length - 1, Math.max(0, col)) };
}

export function box(at: DialsLayout, spot: Spot): Box {
  const face = at.faces[spot.panel]!;
  const [x, y] = [face.xs[spot.col]!, face.ys[spot.col]!];
  return { x: (Number.isFinite(x) ? x : face.cx) - 6, y: (Number.isFinite(y) ? y : face.cy) - 6, w: 12, h: 12 };
}

export function read(figure: FigureData, spot: Spot): Reading {
  const dial = data(figure).items[spot.panel]!;
  const x = figure.numbers(dial.x);
  const y = figure.numbers(dial.y);
  const [a, b] = [x.data[spot.col]!, y.data[spot.col]!];
  const state = Math.min(x.state?.[spot.col] ?? DONE, y.state?.[spot.col] ?? DONE);
  const label = (dial.labels && figure.text(dial.labels, spot.col)) || `point ${spot.col}`;
  const degrees = ((Math.atan2(b, a) * 180) / Math.PI + 360) % 360;
  const facts = [
    { name: 'radius', value: format('%.2f', Math.hypot(a, b)) },
    { name: 'cosine', value: format('%+.2f', a) },
    { name: 'sine', value: format('%+.2f', b) },
  ];
  if (dial.colour && dial.scale) {
    const scale = figure.scale(dial.scale);
    const v = figure.numbers(dial.colour).data[spot.col]!;
    const named = Number.isInteger(v) ? namesOf(figure, scale)[v - scale.lo] : undefined;
    facts.push({ name: scale.label || 'colour', value: named || format(scale.format, v) });
  }
  return {
    title: `${dial.title} · ${label}`,
    label: 'from the top',
    value: state === PENDING ? 'not computed yet' : `${format('%.0f', degrees)}°`,
    facts: state === DONE ? facts : [],
    best: [],
  };
}
