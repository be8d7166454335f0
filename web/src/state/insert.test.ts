import { describe, expect, it } from 'vitest';
import type { AnalysisInfo, ParamInfo, Variable } from '../api/types.gen';
import { callFor } from './insert';
import { knownNames, type Known } from './known';

const param = (name: string, chooses = ''): ParamInfo => ({ name, type: name === 'prompts' ? 'prompts' : 'int', required: false, help: '', chooses });
const info = (name: string, example: string, params: ParamInfo[] = []): AnalysisInfo => ({ name, title: '', summary: '', example, params });
const model = (name: string, of = 'mental-2op'): Known => ({ name, type: 'model', model: of });
const set = (name: string, type: string, of = ''): Known => ({ name, type, model: of });

const LENS = info('logit_lens', 'logit_lens(load("mental-2op"), "34+57=")');
const CAUSAL = info('causal_mediation', 'causal_mediation(load("mental-2op"), base="34+57=", source="12+57=")', [param('prompts'), param('base', 'prompts'), param('source', 'prompts'), param('change', 'pairs')]);
const HELIX = info('helix', 'helix(load("mental-2op"), show="layers", n=300)', [param('prompts'), param('n', 'prompts')]);
const GROK = info('grokking', 'grokking(load("modadd-113"))');

describe('a new call', () => {
  it.each([
    [LENS, [], 'logit_lens(load("mental-2op"), "34+57=")'],
    [LENS, [model('m')], 'logit_lens(m, "34+57=")'],
    [LENS, [model('m'), model('big', 'gpt2'), model('g', 'modadd-113')], 'logit_lens(big, "34+57=")'],
    [GROK, [model('m')], 'grokking(load("modadd-113"))'],
    [GROK, [model('m'), model('g', 'modadd-59-clock')], 'grokking(g)'],
    [CAUSAL, [model('m'), set('p', 'prompts')], 'causal_mediation(m, p)'],
    [CAUSAL, [model('m'), set('q', 'pairs'), set('p', 'prompts')], 'causal_mediation(m, q)'],
    [CAUSAL, [model('m'), set('q', 'pairs', 'gpt2')], 'causal_mediation(m, base="34+57=", source="12+57=")'],
    [HELIX, [model('m'), set('q', 'pairs'), set('p', 'prompts', 'mental-2op')], 'helix(m, p, show="layers")'],
    [HELIX, [model('m'), set('q', 'pairs')], 'helix(m, show="layers", n=300)'],
    [HELIX, [set('p', 'prompts')], 'helix(load("mental-2op"), p, show="layers")'],
    [info('prompts', 'prompts("{a}=", load("mental-2op"), a=range(0, 9))'), [model('m'), set('p', 'prompts')], 'p2 = prompts("{a}=", m, a=range(0, 9))\np2'],
    [info('pairs', 'p.pairs(change="a")'), [set('s', 'prompts')], 'q = s.pairs(change="a")\nq'],
    [info('pairs', 'p.pairs(change="a")'), [model('m')], 'q = prompts("{a}+{b}=", m, a=range(0, 100), b=range(0, 100), n=200).pairs(change="a")\nq'],
  ])('of %o takes what suits', (of, names, want) => {
    expect(callFor(of, names)).toBe(want);
  });
});

it('knows names by their values, and before they have any by how they are made', () => {
  const cells = ['m = load("mental-2op")\np = prompts("{a}=", m)', 'q = p.pairs()\nx = 3\nif x == load("m"):\n    y = prompts("a")', 'def gap(logits, pair):\n    return 1'].map((source) => ({ source }));
  const plain = knownNames(cells, []).map((n) => `${n.name} ${n.type} ${n.model}`.trim());
  expect(plain).toEqual(['m model mental-2op', 'p prompts', 'q pairs', 'gap function']);
  const value = (name: string, type: string, repr: string): Variable => ({ name, cell: 'c', value: { type, repr } });
  const ran = knownNames(cells, [value('p', 'prompts', 'prompts of mental-2op: 12 prompts'), value('x', 'int', '3')]);
  expect(ran.map((n) => `${n.name} ${n.type} ${n.model}`.trim())).toEqual(['m model mental-2op', 'p prompts mental-2op', 'q pairs', 'gap function', 'x int']);
});
