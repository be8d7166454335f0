import { describe, expect, it } from 'vitest';
import { bars } from './figures.fixture';
import { factsOf } from './provenance';

describe('the foot of a figure', () => {
  it('says whose numbers these are and what the bars mean', () => {
    const figure = { ...bars([1, 2], { errors: [0.1, 0.2] }), interval: { kind: 't' as const, n: 40, times: 2.02 } };
    figure.provenance = {
      model: 'mental-2op',
      hash: '0123456789abcdef',
      basis: 'raw',
      params: { metric: 'logit_diff', kind: 'mean_by_pos', direction: '', n: 40 },
      prompts: '40 of 41 tried',
      prompt_ids: [[1], [2]],
      seed: 0,
    };
    expect(factsOf(figure)).toEqual([
      { name: 'model', value: 'mental-2op 01234567', whole: 'sha256 0123456789abcdef' },
      { name: 'weights', value: 'raw' },
      { name: 'metric', value: 'logit diff' },
      { name: 'ablation', value: 'mean by pos' },
      { name: 'prompts', value: '2', whole: '40 of 41 tried' },
      { name: 'seed', value: '0' },
      { name: 'bars', value: "95 % interval by Student's t, n = 40" },
    ]);
  });

  it('is empty where nothing is known', () => {
    expect(factsOf(bars([1]))).toEqual([]);
  });
});
