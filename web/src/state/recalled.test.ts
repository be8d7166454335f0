import { expect, it } from 'vitest';
import { LiveFigure } from '../figures/live';
import { recalledText } from './recalled';
import { newCell } from './reducer';

const figure = () => ({ id: 'f', kind: 'figure' as const, figure: new LiveFigure({ kind: 'lines', title: '', subtitle: '', arrays: {}, provenance: {} }, undefined, 0) });
/** A moment in whatever zone the tests run. */
const made = new Date(2026, 10, 26, 12, 1, 30).toISOString();

it.each([
  ['one figure', 1, 1, 'from the cache · computed in 4.2 s on 2026-11-26 12:01'],
  ['some of several', 1, 3, '1 of 3 figures from the cache · computed in 4.2 s on 2026-11-26 12:01'],
  ['several', 2, 2, '2 figures from the cache · computed in 4.2 s together, the first on 2026-11-26 12:01'],
])('says of %s where it comes from', (_, results, figures, want) => {
  const cell = newCell('c', 'code', '');
  cell.outputs = Array.from({ length: figures }, figure);
  expect(recalledText(cell)).toBe('');
  cell.recalled = { results, millis: 4200, made_at: made };
  expect(recalledText(cell)).toBe(want);
});
