// Makes agreement.json: colours by culori 4 (an implementation of OKLab and of
// WCAG contrast that is not ours) and numbers by the JavaScript engine.
// Usage: npm i culori@4 && node agreement.mjs ../palette.json > agreement.json
import { readFileSync } from 'node:fs';
import { interpolate, formatHex, wcagContrast, converter, clampRgb } from 'culori';

const palette = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const scales = [
  { kind: 'sequential', lo: 0, hi: 1, label: '', format: '' },
  { kind: 'sequential', lo: -3, hi: 5, label: '', format: '', reverse: true },
  { kind: 'diverging', lo: -2.5, hi: 2.5, label: '', format: '' },
  { kind: 'diverging', lo: -2.5, hi: 2.5, label: '', format: '', reverse: true },
  { kind: 'log', lo: 1, hi: 10000, label: '', format: '' },
  { kind: 'log', lo: 1, hi: 10000, label: '', format: '', reverse: true },
];
const values = [-12, -3, -2.5, -2, -1.25, -0.25, 0, 0.03, 0.125, 0.25, 0.4, 0.5, 0.75, 0.97, 1, 1.5, 2.5, 4, 5, 31, 1000, 12345];

function position(s, v) {
  let t = (v - s.lo) / (s.hi - s.lo);
  if (s.kind === 'log') t = v <= 0 ? 0 : Math.log(v / s.lo) / Math.log(s.hi / s.lo);
  if (s.reverse) t = 1 - t;
  return Math.min(1, Math.max(0, t));
}

const colours = [];
for (const theme of ['light', 'dark']) {
  for (const scale of scales) {
    const ramp = interpolate(palette.themes[theme][scale.kind === 'diverging' ? 'diverging' : 'sequential'], 'oklab');
    for (const value of values) {
      const rgb = formatHex(ramp(position(scale, value)));
      const [black, white] = palette.cell_text;
      const text = wcagContrast(black, rgb) >= wcagContrast(white, rgb) ? black : white;
      colours.push({ scale, value, theme, rgb, text, clipped: value < scale.lo ? -1 : value > scale.hi ? 1 : 0 });
    }
  }
}

// Hues: whole numbers as categories, and phases.
const rgb = converter('rgb');
const wheels = [];
for (const theme of ['light', 'dark']) {
  const { lightness, swing, chroma, hue } = palette.themes[theme].wheel;
  for (const scale of [
    { kind: 'category', lo: 0, hi: 9, label: '', format: '' },
    { kind: 'category', lo: -2, hi: 4, label: '', format: '', reverse: true },
    { kind: 'category', lo: 3, hi: 3, label: '', format: '' },
    { kind: 'cyclic', lo: 0, hi: 1, label: '', format: '' },
    { kind: 'cyclic', lo: -3, hi: 5, label: '', format: '', reverse: true },
  ]) {
    for (const value of [-12, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 113, -0.25, 0.125, 0.4, 0.97, 2.5]) {
      let turn, lift;
      let clipped = 0;
      if (scale.kind === 'category') {
        if (!Number.isInteger(value)) continue;
        clipped = value < scale.lo ? -1 : value > scale.hi ? 1 : 0;
        const inside = Math.min(scale.hi, Math.max(scale.lo, value));
        const place = scale.reverse ? scale.hi - inside : inside - scale.lo;
        turn = place / (scale.hi - scale.lo + 1);
        lift = place % 2 === 0 ? swing : -swing;
      } else {
        const span = scale.hi - scale.lo;
        turn = ((((value - scale.lo) % span) + span) % span) / span;
        if (scale.reverse) turn = 1 - turn;
        lift = swing * Math.cos(2 * Math.PI * turn);
      }
      const h = ((hue + 360 * turn) * Math.PI) / 180;
      const colour = { mode: 'oklab', l: lightness + lift, a: chroma * Math.cos(h), b: chroma * Math.sin(h) };
      const hex = formatHex(clampRgb(rgb(colour)));
      const [black, white] = palette.cell_text;
      const text = wcagContrast(black, hex) >= wcagContrast(white, hex) ? black : white;
      wheels.push({ scale, value, theme, rgb: hex, text, clipped });
    }
  }
}

const numbers = [];
const odd = [0, -0, 0.5, 1.5, 2.5, -2.5, 0.125, 0.375, -0.125, 1, -1, 0.004, -0.004, 0.05, 0.96, 9.995, 99.95, 999.5, 12345.678, 1e-6, 9.5e-7, 2e-7, 3.4e38, 1e21, 123456789];
for (const format of ['%.0f', '%.2f', '%+.2f', '%d', '%.1e', '%.0e', '%+.2e', '%.3g', '%.2g', '%.6g', '%+.1g', '']) {
  for (const value of odd.map(Math.fround)) {
    const [, plus, , digits, verb] = (format || '%.3g').match(/^%(\+?)(\.(\d+))?([fegd])$/);
    const n = verb === 'd' ? 0 : Number(digits);
    const abs = Math.abs(value);
    if (abs >= 1e21 && 'fd'.includes(verb)) continue; // toFixed gives up there
    let text = verb === 'e' ? abs.toExponential(n) : verb === 'g' ? abs.toPrecision(n) : abs.toFixed(n);
    if (verb === 'g') text = text.replace(/(\.\d*?)0+(e|$)/, '$1$2').replace(/\.(e|$)/, '$1');
    if (/[1-9]/.test(text.split('e')[0])) text = (value < 0 ? palette.glyphs.minus : plus) + text;
    numbers.push({ format, value, text });
  }
}

const tokens = [
  [' 34', '·34'], ['\n', '↵'], ['\t', '⇥'], ['', '∅'], ['  ', '··'], ['\u001b[0m', '\\x1b[0m'], ['\u200b', '\\x200b'],
  ['Ġhello', 'Ġhello'], ['中文', '中文'], ['<bos>', '<bos>'], ['\ufffd', '\ufffd'],
].map(([label, text]) => ({ label, text }));

const list = (rows) => '[\n' + rows.map((r) => '    ' + JSON.stringify(r)).join(',\n') + '\n  ]';
console.log(`{\n  "colours": ${list(colours)},\n  "wheels": ${list(wheels)},\n  "numbers": ${list(numbers)},\n  "tokens": ${list(tokens)}\n}`);
