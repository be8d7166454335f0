// Maps over two residues, sorted by the phase of the wave that they follow: a
// pattern of k bumps becomes one.
import type { Axis, Panel } from '../api/types.gen';
import type { FigureData, Numbers } from './live';
import type { Choice } from './painter';

/** The name of the order by phase among a reader's choices. */
export const PHASE = 'phase';

/** The residues 0 to n-1 in the order of k·i mod n. */
export function phaseOrder(n: number, k: number): number[] {
  const phase = (i: number) => (k * i) % n;
  return Array.from({ length: n }, (_, i) => i).sort((a, b) => phase(a) - phase(b) || a - b);
}

function sortedAxis(axis: Axis, order: number[], k: number): Axis {
  return { ...axis, name: `${axis.name}, by ${k}·${axis.name} mod ${order.length}`, labels: order.map((i) => axis.labels[i] ?? '') };
}

/** A panel and its numbers as the reader has them sorted; place is where a number stands in the figure's own order. */
export function ordered(figure: FigureData, panel: Panel, { show }: Choice): { panel: Panel; numbers: Numbers; place: (i: number) => number } {
  const numbers = figure.numbers(panel.values);
  const k = panel.frequency ?? 0;
  if (show !== PHASE || k === 0) return { panel, numbers, place: (i) => i };
  const order = phaseOrder(panel.rows.labels.length, k);
  const pick = order.flatMap((row) => order.map((col) => row * order.length + col));
  return {
    panel: { ...panel, rows: sortedAxis(panel.rows, order, k), columns: sortedAxis(panel.columns, order, k) },
    numbers: {
      ...numbers,
      data: Float32Array.from(pick, (i) => numbers.data[i]!),
      state: numbers.state && Uint8Array.from(pick, (i) => numbers.state![i]!),
      arrived: null,
    },
    place: (i) => pick[i]!,
  };
}
