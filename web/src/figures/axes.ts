// The pairs of axes that curves may be read on: logarithmic, linear.
import type { Item, Lines, LinesView } from '../api/types.gen';
import { restated, type FigureData } from './live';
import type { Choice } from './painter';

/** The view that the reader has chosen; the lines' own where there is none of that name. */
export function axesOf(lines: Lines, { show }: Choice): Pick<LinesView, 'x_scale' | 'y_scale'> {
  return lines.views?.find((v) => v.name === show) ?? lines;
}

/** The figure with its curves on the chosen axes. */
export function onAxes(data: FigureData, chosen: Choice): FigureData {
  const { lines } = data.figure;
  if (!lines?.views) return data;
  const { x_scale, y_scale } = axesOf(lines, chosen);
  return restated(data, { ...data.figure, lines: { ...lines, x_scale, y_scale } });
}

/** The views of the other panels that go with the one chosen in a panel: curves under one slider keep one axis of steps. */
export function linked(items: readonly Item[], from: number, show: string): { at: number; show: string }[] {
  const lines = items[from]?.lines;
  const chosen = lines?.rule && lines.views?.find((v) => v.name === show);
  if (!chosen) return [];
  return items.flatMap(({ lines: other }, at) => {
    if (at === from || !other?.rule) return [];
    const view = other.views?.find((v) => v.name === show) ?? other.views?.find((v) => v.x_scale === chosen.x_scale);
    return view ? [{ at, show: view.name }] : [];
  });
}
