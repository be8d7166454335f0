// The readings of a token grid: of the stream, or of what attention and MLPs
// add to it. The arrays and texts of all but the first have a suffix.
import type { TokenLens, Tokens } from '../api/types.gen';

/** The lens of a name; the first where there is none of that name, undefined for a grid without lenses. */
export function lensOf(tokens: Tokens, name: string): TokenLens | undefined {
  return tokens.lenses?.find((l) => l.name === name) ?? tokens.lenses?.[0];
}

const read = new WeakMap<Tokens, Map<string, Tokens>>();

/** The grid as a lens reads it. */
export function under(tokens: Tokens, name: string): Tokens {
  const lens = lensOf(tokens, name);
  if (!lens?.suffix) return tokens;
  let known = read.get(tokens);
  if (!known) read.set(tokens, (known = new Map<string, Tokens>()));
  let grid = known.get(lens.name);
  if (!grid) known.set(lens.name, (grid = make(tokens, lens)));
  return grid;
}

function make(tokens: Tokens, { name, suffix, sites }: TokenLens): Tokens {
  const add = (array: string) => (array ? array + suffix : '');
  const { patch } = tokens;
  return {
    ...tokens,
    cell: add(tokens.cell),
    top_tokens: add(tokens.top_tokens),
    top_values: add(tokens.top_values),
    sites,
    metrics: tokens.metrics.map((m) => ({ ...m, values: add(m.values) })),
    patch: patch && {
      ...patch,
      results: patch.results?.map((r) => ({ ...r, cone: add(r.cone), changed: add(r.changed), moves: r.moves?.filter((m) => m.lens === name) })),
    },
  };
}
