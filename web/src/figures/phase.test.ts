import { expect, it } from 'vitest';
import type { Figure } from '../api/types.gen';
import { optionsOf } from './choices';
import { linear, wire } from './figures.fixture';
import * as heatmap from './heatmap';
import { LiveFigure } from './live';
import { ordered, phaseOrder } from './phase';

it('sorts residues by k·i mod n', () => {
  expect(phaseOrder(7, 3)).toEqual([0, 5, 3, 1, 6, 4, 2]);
  expect(phaseOrder(6, 2)).toEqual([0, 3, 1, 4, 2, 5]);
});

it('makes a wave of k turns one of a single turn, and reads the right cell', () => {
  const [n, k] = [7, 3];
  const all = Array.from({ length: n }, (_, i) => i);
  const axis = (name: string) => ({ name, labels: all.map(String) });
  const wave = (i: number) => Math.cos((2 * Math.PI * k * i) / n);
  const figure: Figure = {
    kind: 'heatmap',
    title: 'Neurons',
    subtitle: '',
    provenance: {},
    heatmap: { scale: 's', panels: [{ title: 'k = 3', rows: axis('a'), columns: axis('b'), values: 'v', frequency: k }] },
    arrays: { v: wire(all.flatMap((a) => all.map((b) => wave(a) + 10 * b)), n, n) },
    scales: { s: linear(-1, 61) },
  };
  expect(optionsOf(figure).views.map((v) => v.label)).toEqual(['by a, b', 'by phase']);
  const live = new LiveFigure(figure);
  const by = { show: 'phase', colour: '' };
  const { panel, numbers } = ordered(live, figure.heatmap!.panels[0]!, by);
  expect(panel.rows.labels).toEqual(['0', '5', '3', '1', '6', '4', '2']);
  expect(panel.rows.name).toBe('a, by 3·a mod 7');
  // Down the first column, b = 0, one turn.
  all.forEach((row) => expect(numbers.data[row * n]).toBeCloseTo(Math.cos((2 * Math.PI * row) / n), 6));
  const reading = heatmap.read(live, { panel: 0, row: 1, col: 2 }, by);
  expect(reading.title).toBe('a, by 3·a mod 7 5 · b, by 3·b mod 7 3');
  expect(reading.value).toBe((wave(5) + 30).toFixed(2));
  expect(heatmap.read(live, { panel: 0, row: 5, col: 3 }, { show: '', colour: '' }).value).toBe(reading.value);
});
