import { expect, it } from 'vitest';
import type { ModelInfo, ParamInfo, ParamType } from '../api/types.gen';
import type { Known } from '../state/known';
import { namesFor, sitesOf } from './names';

const NAMES: Known[] = [
  ['m', 'model'], ['p', 'prompts'], ['q', 'pairs'], ['text', 'string'], ['t', 'tokens'], ['gap', 'function'], ['n', 'int'], ['x', 'float'], ['list', 'list'], ['move', 'patch'],
].map(([name, type]) => ({ name: name!, type: type!, model: '' }));

const offered = (type: ParamType) => {
  const param: ParamInfo = { name: 'p', type, required: false, help: '' };
  const page = { names: NAMES, workspace: { models: [{ name: 'mental-2op' }] } } as unknown as Parameters<typeof namesFor>[1];
  return namesFor(param, page).join(' ');
};

it.each([
  ['model', 'm load("mental-2op")'],
  ['prompts', 'p q'],
  ['prompt', 'text t'],
  ['metric', 'gap'],
  ['int', 'n'],
  ['float', 'n x'],
  ['numbers', 'list'],
  ['patches', 'list move'],
  ['choice', ''],
  ['bool', ''],
] as const)('offers for %s the names %s', (type, want) => {
  expect(offered(type)).toBe(want);
});

it('lists the sites of a model layer by layer', () => {
  const sites = sitesOf({ layers: 2 } as ModelInfo);
  expect([sites[0], sites.at(-1), sites.length]).toEqual(['blocks.0.hook_resid_pre', 'blocks.1.mlp.hook_post', 22]);
  expect(sitesOf(undefined)).toEqual([]);
});
