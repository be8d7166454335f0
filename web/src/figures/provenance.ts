// What made a figure, in a few words at its foot.
import type { Figure } from '../api/types.gen';
import { intervalWords } from './interval';

export interface Fact {
  name: string;
  value: string;
  /** The whole of what is shortened. */
  whole?: string;
}

/** The parameters that change what a number means, with the names that papers give them. */
const NAMED: [string, string][] = [
  ['metric', 'metric'],
  ['direction', 'direction'],
  ['kind', 'ablation'],
  ['freeze', 'frozen'],
];

/** Whose weights, over which prompts, by which metric, and what the bars are. */
export function factsOf(figure: Figure): Fact[] {
  const { model, hash, basis, params, prompt_ids: ids, prompts, seed } = figure.provenance;
  const facts: Fact[] = [];
  const add = (name: string, value: string, whole?: string) => facts.push({ name, value, ...(whole ? { whole } : {}) });
  if (model) add('model', hash ? `${model} ${hash.slice(0, 8)}` : model, hash && `sha256 ${hash}`);
  if (basis) add('weights', basis);
  for (const [key, name] of NAMED) {
    const value = params?.[key];
    if (typeof value === 'string' && value !== '') add(name, value.replaceAll('_', ' '));
  }
  if (ids && ids.length > 1) add('prompts', ids.length.toLocaleString('en'), prompts);
  if (seed !== undefined && seed !== null) add('seed', String(seed));
  if (drawsIntervals(figure)) add('bars', intervalWords(figure.interval));
  return facts;
}

/** True of lines and bars with standard errors. */
function drawsIntervals(figure: Figure): boolean {
  return (figure.lines ?? figure.bars)?.series.some((s) => s.errors) ?? false;
}
