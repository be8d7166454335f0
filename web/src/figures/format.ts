// Numbers as viz.FormatNumber writes them, so that page and export agree.

const FORMAT = /^%(\+?)(?:(d)|(?:\.(\d+))?([feg]))$/;

/**
 * Writes a number by a Scale's format: "%.2f", "%+.2f", "%.1e", "%.3g" or
 * "%d"; empty or unreadable is "%.3g". The minus is U+2212, a number that
 * rounds to zero has no sign, the infinities are "∞" and "−∞".
 */
export function format(spec: string, value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const [, plus = '', whole = '', digits, verb] = FORMAT.exec(spec) ?? ['', '', '', '3', 'g'];
  const precision = digits === undefined ? 6 : Number(digits);
  const text = whole ? Math.abs(value).toFixed(0) : written(Math.abs(value), verb!, precision);
  if (!/[1-9]/.test(text.split('e')[0]!)) return text;
  return (value < 0 ? '−' : plus) + text;
}

function written(value: number, verb: string, precision: number): string {
  if (verb === 'f') return value.toFixed(precision);
  if (verb === 'e') return value.toExponential(precision);
  const [mantissa, exponent] = value.toPrecision(Math.max(precision, 1)).split('e') as [string, string?];
  const short = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa;
  return exponent === undefined ? short : `${short}e${exponent}`;
}

/** "label, unit", or the one of them that is there. */
export function unitLabel(label: string, unit = ''): string {
  return label && unit ? `${label}, ${unit}` : label + unit;
}

/** A duration in a few characters: "4 ms", "0.12 s", "4.8 s", "38 s", "2 min 05 s". */
export function seconds(millis: number): string {
  if (millis < 99.5) return `${Math.round(millis)} ms`;
  const s = millis / 1000;
  if (s < 0.995) return `${s.toFixed(2)} s`;
  if (s < 9.95) return `${s.toFixed(1)} s`;
  if (s < 99.5) return `${s.toFixed(0)} s`;
  const whole = Math.round(s);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}

/** A moment in the reader's own time: "2026-11-26 12:01". */
export function moment(at: string): string {
  const t = new Date(at);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())} ${two(t.getHours())}:${two(t.getMinutes())}`;
}

/** A count with thousands apart: "1,200". */
export function count(n: number): string {
  return n.toLocaleString('en-US');
}

/** A size in a few characters: "2.9 M", "12 k". */
export function size(n: number): string {
  if (n >= 1e9) return `${(n / 1e9).toPrecision(3)} G`;
  if (n >= 1e6) return `${(n / 1e6).toPrecision(n >= 1e7 ? 3 : 2)} M`;
  if (n >= 1e4) return `${Math.round(n / 1e3)} k`;
  return count(n);
}

/** Time of day in the reader's zone, "18:41:07"; empty for no time. */
export function clock(iso: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return '';
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((n) => String(n).padStart(2, '0')).join(':');
}
