// What stands under a grid: the colour bar with its limits, and a word for
// each sign that a cell without a colour has. The exported picture has the same.
import type { Scale } from '../api/types.gen';
import { clipped, colourOf, rampAt } from './colour';
import { format, unitLabel } from './format';
import { drawHatched, drawNotch } from './grid';
import { BLANK, DONE, PENDING, type FigureData, type Numbers } from './live';
import { FONT, type Measure, type View } from './painter';

const SMALL = FONT.ui(11);
const LINE = 20;
const BAR = 170;
const LEAST_BAR = 40;
const APART = 16;

/** More categories than this are drawn as one bar. */
const SWATCHES = 12;

type Sign = 'bar' | 'swatch' | 'words' | 'pending' | 'nan' | 'clipped' | 'blank';

interface Item {
  sign: Sign;
  text: string;
  /** The number of a category's swatch. */
  value?: number;
}

const SIGNS: readonly Item[] = [
  { sign: 'pending', text: 'not yet computed' },
  { sign: 'nan', text: 'not a number, or infinite' },
  { sign: 'clipped', text: 'beyond the limits' },
  { sign: 'blank', text: 'blank: cannot exist' },
];

/** A limit as it is written: no zeros at its end, thousands apart; one that its own format would show as 0 gets three digits. */
export function limit(scale: Scale, value: number): string {
  let text = format(scale.format, value);
  if (value !== 0 && !/[1-9]/.test(text.split('e')[0]!)) text = format('%.3g', value);
  if (!text.includes('e')) text = text.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '').replace(/^\D?\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ','));
  return scale.kind === 'diverging' && value > 0 && !text.startsWith('+') ? `+${text}` : text;
}

function suffix(scale: Scale): string {
  return scale.kind === 'diverging' ? ' · centred at 0' : scale.kind === 'log' ? ' · log' : scale.kind === 'cyclic' ? ' · cyclic' : '';
}

/** The words for a category scale's numbers; none for the numbers themselves. */
export function namesOf(figure: FigureData, scale: Scale): string[] {
  return (scale.names && figure.words(scale.names)?.values) || [];
}

/** The colours with their values: a swatch a category, or a bar. */
function colours(scale: Scale, names: string[]): Item[] {
  const count = scale.hi - scale.lo + 1;
  if (scale.kind !== 'category' || count > SWATCHES) return [{ sign: 'bar', text: suffix(scale) }];
  return Array.from({ length: count }, (_, i) => {
    const value = scale.lo + i;
    return { sign: 'swatch', value, text: names[i] || format(scale.format || '%d', value) };
  });
}

function present(scale: Scale, arrays: Numbers[]): Set<Sign> {
  const found = new Set<Sign>();
  for (const { data, state } of arrays) {
    for (let i = 0; i < data.length; i++) {
      const s = state?.[i] ?? DONE;
      if (s === PENDING) found.add('pending');
      else if (s === BLANK) found.add('blank');
      else if (!Number.isFinite(data[i]!)) found.add('nan');
      else if (clipped(scale, data[i]!) !== 0) found.add('clipped');
    }
  }
  return found;
}

/** The key broken into lines of a width. */
function lines(scale: Scale, signs: Set<Sign>, names: string[], width: number, measure: Measure): { bar: number; lines: Item[][] } {
  const words = unitLabel(scale.label, scale.unit);
  const items = colours(scale, names);
  // A bar has its name after it, swatches before them.
  if (words && items[0]!.sign === 'swatch') items.unshift({ sign: 'words', text: words });
  else if (words) items.push({ sign: 'words', text: words });
  items.push(...SIGNS.filter((s) => signs.has(s.sign)));
  const bar = Math.max(LEAST_BAR, Math.min(BAR, BAR + width - itemWidth(items[0]!, scale, BAR, measure)));
  const out: Item[][] = [];
  let x = 0;
  for (const item of items) {
    const w = itemWidth(item, scale, bar, measure) + apart(item);
    if (out.length === 0 || x + w - apart(item) > width) {
      out.push([]);
      x = 0;
    }
    out.at(-1)!.push(item);
    x += w;
  }
  return { bar, lines: out };
}

function apart(item: Item): number {
  return item.sign === 'swatch' ? 10 : APART;
}

function itemWidth(item: Item, scale: Scale, bar: number, measure: Measure): number {
  const text = measure(item.text, SMALL);
  if (item.sign === 'words') return text;
  if (item.sign === 'swatch') return 15 + text;
  if (item.sign !== 'bar') return 20 + text;
  return measure(limit(scale, scale.lo), SMALL) + 6 + bar + 6 + measure(limit(scale, scale.hi), SMALL) + text;
}

/** The key's height; it has room for the sign of what is still to come, so that nothing moves when it goes. */
export function keyHeight(scale: Scale, arrays: Numbers[], width: number, measure: Measure, names: string[] = []): number {
  const signs = present(scale, arrays);
  if (arrays.some((a) => a.state)) signs.add('pending');
  return LINE * lines(scale, signs, names, width, measure).lines.length + 4;
}

export function drawKey(
  ctx: CanvasRenderingContext2D,
  x: number,
  y: number,
  width: number,
  scale: Scale,
  arrays: Numbers[],
  view: View,
  measure: Measure,
  names: string[] = [],
): void {
  const key = lines(scale, present(scale, arrays), names, width, measure);
  ctx.font = SMALL;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  key.lines.forEach((line, n) => {
    let at = x;
    for (const item of line) {
      drawItem(ctx, at, y + n * LINE, item, scale, key.bar, view, measure);
      at += itemWidth(item, scale, key.bar, measure) + apart(item);
    }
  });
}

function drawItem(
  ctx: CanvasRenderingContext2D,
  x: number,
  y: number,
  { sign, text, value }: Item,
  scale: Scale,
  bar: number,
  view: View,
  measure: Measure,
): void {
  const { inks } = view;
  if (sign === 'bar') return drawBar(ctx, x, y, text, scale, bar, view, measure);
  if (sign === 'swatch') {
    ctx.fillStyle = colourOf(scale, value!, view.theme);
    ctx.beginPath();
    ctx.arc(x + 5, y + 10, 4.5, 0, 2 * Math.PI);
    ctx.fill();
    ctx.fillStyle = inks.soft;
    ctx.fillText(text, x + 15, y + 10.5);
    return;
  }
  const box = { x: x + 0.5, y: y + 4.5, w: 13, h: 11 };
  if (sign === 'pending') drawHatched(ctx, [box], box, view);
  else if (sign !== 'words') {
    ctx.beginPath();
    ctx.roundRect(box.x, box.y, box.w, box.h, 3);
    ctx.fillStyle = sign === 'nan' ? inks.warn_bg : inks.card;
    ctx.fill();
    ctx.strokeStyle = sign === 'nan' ? inks.warn : sign === 'blank' ? inks.edge : inks.line2;
    ctx.lineWidth = 1;
    ctx.setLineDash(sign === 'blank' ? [1, 2] : []);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.fillStyle = inks.ink;
    if (sign === 'clipped') drawNotch(ctx, box, 1);
  }
  ctx.fillStyle = inks.soft;
  ctx.fillText(text, sign === 'words' ? x : x + 20, y + 10.5);
}

function drawBar(
  ctx: CanvasRenderingContext2D,
  x: number,
  y: number,
  after: string,
  scale: Scale,
  width: number,
  view: View,
  measure: Measure,
): void {
  const lo = limit(scale, scale.lo);
  const left = x + measure(lo, SMALL) + 6;
  for (let i = 0; i < width; i++) {
    const t = i / (width - 1);
    ctx.fillStyle = rampAt(scale, scale.reverse ? 1 - t : t, view.theme);
    ctx.fillRect(left + i, y + 6, Math.min(1.5, width - i), 8);
  }
  ctx.strokeStyle = view.inks.line2;
  ctx.lineWidth = 0.5;
  ctx.strokeRect(left, y + 6, width, 8);
  ctx.fillStyle = view.inks.soft;
  ctx.fillText(lo, x, y + 10.5);
  ctx.fillText(limit(scale, scale.hi) + after, left + width + 6, y + 10.5);
}
