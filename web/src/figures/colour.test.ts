import { describe, expect, it } from 'vitest';
import agreement from '../../../viz/testdata/agreement.json';
import palette from '../../../viz/palette.json';
import type { Scale } from '../api/types.gen';
import css from '../style/tokens.css?raw';
import { chipOf, clipped, colourAt, colourOf, contrast, inks, lineStyle, position, seriesStyle, textOn, tokenText, type Theme } from './colour';
import { format } from './format';

// The table is made by implementations that are not ours (see its script) and
// is read by the Go tests too.
describe('agreement with the exported pictures', () => {
  it('has cases', () => {
    expect(agreement.colours.length).toBeGreaterThan(200);
    expect(agreement.numbers.length).toBeGreaterThan(50);
  });

  it.each([...agreement.colours, ...agreement.wheels].map((c) => [`${c.theme} ${c.scale.kind}${'reverse' in c.scale ? ' reversed' : ''} ${c.value}`, c] as const))(
    'colours %s',
    (_, c) => {
      const scale = c.scale as Scale;
      expect(colourOf(scale, c.value, c.theme as Theme)).toBe(c.rgb);
      expect(textOn(c.rgb)).toBe(c.text);
      expect(clipped(scale, c.value)).toBe(c.clipped);
    },
  );

  it.each(agreement.numbers.map((n) => [n.format, n.value, n.text] as const))('writes %s of %s', (spec, value, text) => {
    const number = typeof value === 'number' ? value : Number(String(value).replace('∞', 'Infinity'));
    expect(format(spec, number)).toBe(text);
  });

  it.each(agreement.tokens.map((t) => [t.label, t.text] as const))('shows token %j', (label, text) => {
    expect(tokenText(label)).toBe(text);
  });
});

describe('position', () => {
  const scale = (kind: Scale['kind'], lo: number, hi: number, reverse = false): Scale => ({ kind, lo, hi, reverse, label: '', format: '' });

  it.each([
    ['an empty range, below', scale('sequential', 2, 2), 2, 0],
    ['an empty range, above', scale('sequential', 2, 2), 3, 1],
    ['zero of an empty diverging range', scale('diverging', 0, 0), 5, 0.5],
    ['nothing and less on a log scale', scale('log', 1, 10), -1, 0],
    ['rank 1 of a reversed log scale', scale('log', 1, 100, true), 1, 1],
  ])('%s', (_, s, value, want) => {
    expect(position(s, value)).toBe(want);
  });
});

describe.each(['light', 'dark'] as const)('%s theme', (theme) => {
  const ui = inks(theme);

  it('has zero in the colour of the card', () => {
    expect(colourAt('diverging', 0.5, theme)).toBe(ui.card);
  });

  it.each(['ink', 'soft', 'mute', 'good', 'warn', 'bad', 'blue', 'brass'] as const)('writes %s readably on every ground', (name) => {
    for (const ground of ['card', 'paper', 'brass_bg', 'blue_bg', 'plum_bg', 'good_bg', 'warn_bg', 'bad_bg'] as const) {
      expect(contrast(ui[name], ui[ground]), ground).toBeGreaterThanOrEqual(4.5);
    }
  });

  it('writes readably in every cell', () => {
    for (const map of ['sequential', 'diverging'] as const) {
      for (let i = 0; i <= 100; i++) {
        const fill = colourAt(map, i / 100, theme);
        expect(contrast(textOn(fill), fill), `${map} ${i}`).toBeGreaterThanOrEqual(4.5);
      }
    }
  });

  it('writes readably on every chip', () => {
    for (const role of ['', 'bos', 'a', 'op', 'b', 'c', 'eq', 'answer'] as const) {
      const chip = chipOf(role, theme);
      expect(contrast(chip.text, chip.fill), role).toBeGreaterThanOrEqual(4.5);
    }
  });

  it('has the same colours in CSS', () => {
    for (const [name, colour] of Object.entries(ui)) {
      const found = new RegExp(`--${name.replace('_', '-')}: light-dark\\((#\\w+), (#\\w+)\\)`).exec(css);
      expect(found?.[theme === 'light' ? 1 : 2], name).toBe(colour);
    }
  });
});

it('tells lines apart without colour', () => {
  const styles = palette.series_marks.map((_, i) => JSON.stringify(seriesStyle(i, false)));
  expect(new Set(styles).size).toBe(styles.length);
  const controls = palette.control.marks.map((_, i) => JSON.stringify(seriesStyle(i, true)));
  expect(new Set(controls).size).toBe(controls.length);
  // The second control is not the first again, whatever stands between.
  const series = [{ control: true }, {}, { control: true }, {}, { control: true }];
  expect(new Set(series.map((_, i) => JSON.stringify(lineStyle(series, i, 'light')))).size).toBe(series.length);
});
