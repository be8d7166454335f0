import { CompletionContext } from '@codemirror/autocomplete';
import { EditorState } from '@codemirror/state';
import { describe, expect, it } from 'vitest';
import type * as api from '../api/types.gen';
import { enclosingCall, options, source } from './complete';
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

it('puts the arguments of the call first, then the notebook\'s names', () => {
  const boosts = options('logit_lens', known).map((o) => [o.label, o.boost ?? 0] as const);
  const of = (label: string) => boosts.find(([l]) => l === label)![1];
  expect(of('metric=')).toBeGreaterThan(of('pairs'));
  expect(of('pairs')).toBeGreaterThan(of('load'));
});

describe('what is offered at the cursor', () => {
  const at = (text: string, explicit = false) => {
    const workspace = { ...known.workspace, models: [{ name: 'mental-2op', summary: 'adds' }] } as unknown as api.Workspace;
    return source(() => ({ ...known, workspace }))(new CompletionContext(EditorState.create({ doc: text }), text.length, explicit));
  };

  it('are models within the quotes of load, from behind the first of them', () => {
    for (const text of ['m = load("', "m = load('", 'm = load("men', 'load( "men']) {
      const found = at(text)!;
      expect([found.from, found.options.map((o) => o.label)], text).toEqual([text.search(/["']/) + 1, ['mental-2op']]);
    }
    expect(at('m = load("mental-2op")')).toBeNull();
  });

  it('are names from the beginning of the word, with the arguments of its call', () => {
    const found = at('logit_lens(m, me')!;
    expect([found.from, found.options[0]!.label]).toEqual([14, 'm=']);
  });

  it('are none where no word has begun, unless they are asked for', () => {
    expect(at('logit_lens(m, ')).toBeNull();
    const found = at('logit_lens(m, ', true)!;
    expect([found.from, found.options[1]!.label]).toEqual([14, 'metric=']);
  });
});
