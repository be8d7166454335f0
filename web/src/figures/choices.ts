// What a reader may choose in a figure's head: the metric and the lens of a token
// grid, the view and the colouring of a scatter, the axes of curves, the order of
// a map's axes.
import type { Figure, Panel } from '../api/types.gen';
import type { Choice } from './painter';
import { PHASE } from './phase';

export interface Option {
  name: string;
  label: string;
  help: string;
}

export interface Options {
  /** What the views choose between, as it is spoken. */
  name: string;
  views: Option[];
  /** What the colours choose between, as it is spoken: the lenses of a token grid. */
  by: string;
  colours: Option[];
}

/** What of a figure has choices. */
export type Chosen = Pick<Figure, 'tokens' | 'scatter' | 'heatmap' | 'lines'>;

export function optionsOf({ tokens, scatter, heatmap, lines }: Chosen): Options {
  if (lines) return { name: 'Axes', views: lines.views ?? [], by: '', colours: [] };
  const waves = heatmap?.panels.find((p) => p.frequency);
  if (waves) return { name: 'Order', views: ordersOf(waves), by: '', colours: [] };
  if (tokens) return { name: 'What the colour means', views: tokens.metrics, by: 'What the cells read', colours: tokens.lenses ?? [] };
  return { name: 'View', views: scatter?.views ?? [], by: 'Colour', colours: scatter?.colours ?? [] };
}

/** The orders of the axes of a map over two residues. */
function ordersOf({ rows, columns }: Panel): Option[] {
  return [
    { name: '', label: `by ${rows.name}, ${columns.name}`, help: '' },
    { name: PHASE, label: 'by phase', help: `both axes sorted by k·${rows.name} and k·${columns.name} mod ${rows.labels.length}: a wave of frequency k turns once` },
  ];
}

/** The choice with names that the figure has: its own where it has none of that name. */
export function resolved(figure: Chosen, chosen: Choice): Choice {
  const { views, colours } = optionsOf(figure);
  const has = (list: Option[], name: string | undefined) => list.some((o) => o.name === name);
  const own = figure.tokens?.show || figure.scatter?.show || views[0]?.name || '';
  return {
    show: has(views, chosen.show) ? chosen.show : own,
    colour: has(colours, chosen.colour) ? chosen.colour : (colours[0]?.name ?? ''),
  };
}

/** The figure's own words, or those of the view or lens where another one is shown. */
export function subtitleOf(figure: Chosen & { subtitle?: string }, chosen: Choice): string {
  const own = resolved(figure, { show: '', colour: '' });
  const { show, colour } = resolved(figure, chosen);
  const { views, colours } = optionsOf(figure);
  const view = show === own.show ? undefined : views.find((v) => v.name === show);
  const lens = figure.tokens && colour !== own.colour ? colours.find((c) => c.name === colour) : undefined;
  if (figure.lines?.views?.length) return [figure.subtitle, views.find((v) => v.name === show)?.label].filter(Boolean).join(', ');
  if (view?.help) return lens ? `${view.help}, ${lens.label}` : view.help;
  return lens?.help || figure.subtitle || '';
}
