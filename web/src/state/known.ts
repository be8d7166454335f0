// The names that cells define, with what they hold: by their values, and of cells
// that have not run since the program started, by how they are made.
import type { Variable } from '../api/types.gen';

export interface Known {
  name: string;
  /** As a value's: "model", "prompts", "pairs", "function". */
  type: string;
  /** The name of the model that it is, or that has read it; empty where that is not known. */
  model: string;
}

const MADE: readonly (readonly [string, RegExp])[] = [
  ['model', /^load\(\s*["']([^"']+)["']\s*\)/],
  ['pairs', /^.*\.pairs\(/],
  ['prompts', /^prompts(?:_from)?\(/],
];

/** The names in the order of their cells. */
export function knownNames(cells: readonly { source: string }[], variables: readonly Variable[]): Known[] {
  const found = new Map<string, Known>();
  for (const { source } of cells) {
    for (const [, name, made] of source.matchAll(/^([A-Za-z]\w*) *= *(?!=)(.*)/gm)) {
      const at = MADE.find(([, pattern]) => pattern.test(made!));
      if (at) found.set(name!, { name: name!, type: at[0], model: at[0] === 'model' ? (at[1].exec(made!)?.[1] ?? '') : '' });
    }
    for (const [, name] of source.matchAll(/^def ([A-Za-z]\w*)\(/gm)) found.set(name!, { name: name!, type: 'function', model: '' });
  }
  for (const { name, value } of variables) {
    const model = value.type === 'model' ? /^model ([^:]+):/ : /^(?:prompts|pairs) of ([^:]+):/;
    found.set(name, { name, type: value.type, model: model.exec(value.repr)?.[1] ?? '' });
  }
  return [...found.values()];
}
