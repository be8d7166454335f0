import { expect, it } from 'vitest';
import type * as api from '../api/types.gen';
import { enclosingCall, options } from './complete';
import { runs } from './highlight';

const known = {
  workspace: {
    analyses: [
      {
        name: 'logit_lens',
        title: 'Logit lens',
        summary: '',
        example: '',
        params: [
          { name: 'm', type: 'model', required: true, help: 'the model' },
          { name: 'metric', type: 'choice', required: false, default: 'prob', choices: ['prob', 'rank'], help: 'colour' },
        ],
      },
    ],
  } as unknown as api.Workspace,
  variables: [{ name: 'pairs', cell: 'a', value: { type: 'list', repr: '' } }],
};

it.each([
  ['logit_lens(m, ', 'logit_lens'],
  ['x = f(g(1), ', 'f'],
  ['f([', ''],
  ['f(1) + ', ''],
  ['f(a[(1)], b=', 'f'],
  ['', ''],
])('finds the call around %j', (before, want) => {
  expect(enclosingCall(before)).toBe(want);
});

it('offers arguments inside their call only', () => {
  const names = (call: string) => options(call, known).map((o) => o.label);
  expect(names('logit_lens').slice(0, 2)).toEqual(['m=', 'metric=']);
  expect(names('')).not.toContain('metric=');
  expect(names('')).toEqual(expect.arrayContaining(['pairs', 'logit_lens', 'load']));
});

it('explains choices', () => {
  const metric = options('logit_lens', known).find((o) => o.label === 'metric=');
  expect([metric?.detail, metric?.info]).toEqual(['choice = prob', 'colour (prob, rank)']);
});

it('colours code without changing it', () => {
  const source = 'm = load("mental-2op")  # a model\nfor i in range(3):\n    print(i)\n';
  const found = runs(source);
  expect(found.map((r) => r.text).join('')).toBe(source);
  const classes = (text: string) => found.find((r) => r.text === text)?.classes;
  expect([classes('load'), classes('"mental-2op"'), classes('# a model'), classes('for'), classes('3')]).toEqual([
    'tok-call',
    'tok-string',
    'tok-comment',
    'tok-keyword',
    'tok-number',
  ]);
});
