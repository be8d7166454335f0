// Colours of values, by the rules and tables of viz/palette.json, which Go
// reads too: a cell has the same colour on the page and in an exported picture.
import palette from '../../../viz/palette.json';
import type { Kin, Scale, TokenRole } from '../api/types.gen';

export type Theme = 'light' | 'dark';

/** The colours of the interface by name, for canvas; CSS has the same as variables. */
export type Inks = (typeof palette.themes.light)['ui'];

type Lab = readonly [number, number, number];

export const inks = (theme: Theme): Inks => palette.themes[theme].ui;

/** Where in 0..1 a value stands on its scale, before clipping. */
function place(scale: Scale, value: number): number {
  const { kind, lo, hi } = scale;
  if (kind === 'diverging') return hi === 0 ? 0.5 : 0.5 + (0.5 * value) / hi;
  if (lo === hi) return value <= lo ? 0 : 1;
  if (kind !== 'log') return (value - lo) / (hi - lo);
  return value <= 0 ? 0 : (Math.log(value) - Math.log(lo)) / (Math.log(hi) - Math.log(lo));
}

/** The colour position of a value, 0..1. */
export function position(scale: Scale, value: number): number {
  if (scale.kind === 'cyclic') return round(scale, value);
  const t = place(scale, value);
  return Math.min(1, Math.max(0, scale.reverse ? 1 - t : t));
}

/** The position of a phase: a value beyond the limits is taken round. */
function round({ lo, hi, reverse }: Scale, value: number): number {
  const turns = (value - lo) / (hi - lo);
  const t = Number.isFinite(turns) ? turns - Math.floor(turns) : 0;
  return reverse ? 1 - t : t;
}

/** 1 above the limits, -1 below, 0 within; a phase is never beyond them. */
export function clipped(scale: Scale, value: number): -1 | 0 | 1 {
  if (scale.kind === 'cyclic') return 0;
  return value > scale.hi ? 1 : value < scale.lo ? -1 : 0;
}

/** The colour "#rrggbb" of a value. */
export function colourOf(scale: Scale, value: number, theme: Theme): string {
  return rampAt(scale, position(scale, value), theme);
}

/** The colour at a position 0..1 of a scale. */
export function rampAt(scale: Scale, t: number, theme: Theme): string {
  if (scale.kind === 'cyclic') return hue(t, Math.cos(2 * Math.PI * t), theme);
  if (scale.kind !== 'category') return colourAt(scale.kind === 'diverging' ? 'diverging' : 'sequential', t, theme);
  const count = scale.hi - scale.lo + 1;
  const i = Math.floor(t * (count - 1) + 0.5);
  return hue(i / count, i % 2 === 0 ? 1 : -1, theme);
}

/** The colour at a turn 0..1 of the theme's wheel, lighter by so many swings. */
function hue(turn: number, swings: number, theme: Theme): string {
  const { lightness, swing, chroma, hue: first } = palette.themes[theme].wheel;
  const angle = (first / 360 + turn) * 2 * Math.PI;
  return toHex([lightness + swing * swings, chroma * Math.cos(angle), chroma * Math.sin(angle)]);
}

/** The colour of a dial's hand. */
export function handColour(role: TokenRole, theme: Theme): string {
  const names: Record<string, string> = palette.hands;
  return inks(theme)[(names[role] ?? names['']!) as keyof Inks];
}

/** The colour at a position 0..1 of a map. */
export function colourAt(map: 'sequential' | 'diverging', t: number, theme: Theme): string {
  const stops = ANCHORS[theme][map];
  const i = Math.min(Math.floor(t * (stops.length - 1)), stops.length - 2);
  const u = t * (stops.length - 1) - i;
  const a = stops[i]!;
  const b = stops[i + 1]!;
  return toHex([a[0] + u * (b[0] - a[0]), a[1] + u * (b[1] - a[1]), a[2] + u * (b[2] - a[2])]);
}

/** Black or white, whichever has the greater contrast against a colour. */
export function textOn(fill: string): string {
  const [black, white] = palette.cell_text as [string, string];
  const y = luminance(fill);
  return (y + 0.05) / 0.05 >= 1.05 / (y + 0.05) ? black : white;
}

/** The colour of a line by its index; controls are grey. */
function seriesColour(theme: Theme, index: number, control: boolean): string {
  const { ui, series } = palette.themes[theme];
  return control ? ui[palette.control.color as keyof Inks] : series[index % series.length]!;
}

/** A series' place among those that are controls as it is, or no controls as it is: controls do not use up colours. */
function ordinal(series: readonly { control?: boolean }[], index: number): number {
  const own = series[index]!.control ?? false;
  return series.slice(0, index).filter((s) => (s.control ?? false) === own).length;
}

/** Colour, dash and mark of one of several lines; a method's rivals have their kin's colour. */
export function lineStyle(series: readonly { control?: boolean; kin?: Kin }[], index: number, theme: Theme): { colour: string; dash: number[]; mark: Mark } {
  const { control = false, kin } = series[index]!;
  const n = ordinal(series, index);
  const { ui } = palette.themes[theme];
  const colour = kin === 'near' ? ui.blue : kin === 'crude' ? ui.mute : seriesColour(theme, n, control);
  return { colour, ...seriesStyle(n, control) };
}

/** The colour of bars; brass is left to the marked ones. */
export function barColour(series: readonly { control?: boolean }[], index: number, theme: Theme): string {
  const { length } = palette.themes[theme].series;
  return seriesColour(theme, 1 + (ordinal(series, index) % (length - 1)), series[index]!.control ?? false);
}

export type Mark = 'disc' | 'ring' | 'square' | 'triangle' | 'diamond' | 'cross' | 'none';

/** The dash and the mark of a line, so that lines differ without colour. */
export function seriesStyle(index: number, control: boolean): { dash: number[]; mark: Mark } {
  const [dashes, marks] = control ? [palette.control.dashes, palette.control.marks] : [palette.series_dashes, palette.series_marks];
  return { dash: dashes[index % dashes.length]!, mark: marks[index % marks.length] as Mark };
}

/** Fill, stroke, text and dash of a token's chip. */
export function chipOf(role: TokenRole, theme: Theme): { fill: string; stroke: string; text: string; dash: number[] } {
  const chip = palette.roles[role] ?? palette.roles[''];
  const ui = palette.themes[theme].ui;
  const colour = (name: string) => ui[name as keyof Inks];
  return { fill: colour(chip.fill), stroke: colour(chip.stroke), text: colour(chip.text), dash: chip.dash };
}

/** A token as a chip shows it: spaces, newlines and tabs visible, nothing as its own sign. */
export function tokenText(text: string): string {
  const { space, newline, tab, empty } = palette.tokens;
  if (text === '') return empty;
  return text.replaceAll(' ', space).replaceAll('\n', newline).replaceAll('\t', tab).replace(HIDDEN, (c) => {
    return `\\x${c.codePointAt(0)!.toString(16).padStart(2, '0')}`;
  });
}

/** Characters that would draw nothing or reorder what stands beside them. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\ufffe\uffff]/gu;

/** Values of at least this share of the limit are written in heatmap cells. */
export const WRITE_FROM = palette.write_from;
export const HATCH = palette.hatch;
export const GLYPHS = palette.glyphs;

function channels(hex: string): [number, number, number] {
  const n = Number.parseInt(hex.slice(1), 16);
  return [linear((n >> 16) / 255), linear(((n >> 8) & 255) / 255), linear((n & 255) / 255)];
}

function linear(c: number): number {
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
}

function encoded(c: number): number {
  const clip = Math.min(1, Math.max(0, c));
  return clip <= 0.0031308 ? 12.92 * clip : 1.055 * clip ** (1 / 2.4) - 0.055;
}

/** Relative luminance of WCAG 2. */
function luminance(hex: string): number {
  const [r, g, b] = channels(hex);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** The contrast ratio of WCAG 2 between two colours, 1 to 21. */
export function contrast(a: string, b: string): number {
  const x = luminance(a) + 0.05;
  const y = luminance(b) + 0.05;
  return x > y ? x / y : y / x;
}

// Björn Ottosson, "A perceptual color space for image processing", 2020.
function toLab(hex: string): Lab {
  const [r, g, b] = channels(hex);
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function toHex([L, a, b]: Lab): string {
  const l = (L + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (L - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (L - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const rgb = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  return '#' + rgb.map((c) => Math.floor(255 * encoded(c) + 0.5).toString(16).padStart(2, '0')).join('');
}

const ANCHORS = {
  light: maps('light'),
  dark: maps('dark'),
};

function maps(theme: Theme): Record<'sequential' | 'diverging', Lab[]> {
  const { sequential, diverging } = palette.themes[theme];
  return { sequential: sequential.map(toLab), diverging: diverging.map(toLab) };
}
