import { expect, it } from 'vitest';
import type { Figure, Tokens } from '../api/types.gen';
import { optionsOf, resolved, subtitleOf } from './choices';
import { under } from './lens';

const tokens = {
  cell: 'top1',
  top_tokens: '',
  top_values: '',
  show: 'p',
  metrics: [
    { name: 'p', label: 'p', help: 'probability', values: 'p', scale: 's' },
    { name: 'r', label: 'r', help: 'rank', values: 'r', scale: 's' },
  ],
  sites: ['x', 'y'],
  lenses: [
    { name: 'resid', label: 'resid', help: 'the stream', suffix: '' },
    { name: 'attn', label: 'attn', help: 'what attention writes', suffix: '_attn', sites: ['', 'z'] },
  ],
  patch: { from: 0, into: 1, call: '', results: [{ panel: 2, try: 0, cone: 'cone', changed: 'changed', moves: [{ panel: 0, from_row: 0, from_column: 0, to_row: 0, to_column: 0, lens: 'attn' }, { panel: 0, from_row: 1, from_column: 0, to_row: 1, to_column: 0 }] }] },
} as unknown as Tokens;
const figure = { tokens, subtitle: 'own' } as Pick<Figure, 'tokens' | 'scatter' | 'subtitle'>;

it('reads a grid through a lens', () => {
  expect(under(tokens, '')).toBe(tokens);
  expect(under(tokens, 'no such')).toBe(tokens);
  const attn = under(tokens, 'attn');
  expect(under(tokens, 'attn')).toBe(attn);
  expect([attn.cell, attn.top_tokens, attn.metrics.map((m) => m.values), attn.sites]).toEqual(['top1_attn', '', ['p_attn', 'r_attn'], ['', 'z']]);
  expect(attn.patch!.results![0]).toMatchObject({ cone: 'cone_attn', changed: 'changed_attn', moves: [{ lens: 'attn' }] });
  expect(attn.patch!.results![0]!.moves).toHaveLength(1);
});

it('offers lenses beside the metrics, and says what is read', () => {
  expect(optionsOf(figure).colours.map((c) => c.name)).toEqual(['resid', 'attn']);
  expect(resolved(figure, { show: '', colour: '' })).toEqual({ show: 'p', colour: 'resid' });
  const said = (show: string, colour: string) => subtitleOf(figure, { show, colour });
  expect([said('p', 'resid'), said('p', 'attn'), said('r', 'resid'), said('r', 'attn')]).toEqual(['own', 'what attention writes', 'rank', 'rank, attn']);
});
