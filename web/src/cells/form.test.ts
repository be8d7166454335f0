import { describe, expect, it } from 'vitest';
import type { FormArg, FormCall, ModelInfo, ParamInfo, ParamType } from '../api/types.gen';
import { controlOf, fields, given, items, placeholder, shownText } from './form';

const param = (type: ParamType, more: Partial<ParamInfo> = {}): ParamInfo => ({ name: 'p', type, required: false, help: '', ...more });
const arg = (kind: FormArg['kind'], text: string, items?: string[]): FormArg => ({ name: 'p', kind, text, ...(items && { items }) });
const call = (params: ParamInfo[], args: FormArg[]): FormCall => ({ name: 'f', line: 1, title: '', summary: '', params, args });

describe('controls', () => {
  const CHOICES = { choices: ['a', 'b'] };
  // Every type without a value, with one of its own, and with one that is none of it.
  it.each([
    ['choice', CHOICES, null, 'choice'],
    ['choice', CHOICES, arg('string', 'a'), 'choice'],
    ['choice', CHOICES, arg('string', 'none of them'), 'choice'],
    ['choice', CHOICES, arg('code', 'which'), 'code'],
    ['metric', CHOICES, arg('code', 'gap'), 'choice'],
    ['metric', CHOICES, arg('code', 'lambda z, p: 1'), 'code'],
    ['strings', CHOICES, arg('list', '["a"]', ['a']), 'checks'],
    ['strings', CHOICES, arg('list', '["z"]', ['z']), 'code'],
    ['strings', {}, null, 'chips'],
    ['strings', {}, arg('list', '["z"]', ['z']), 'chips'],
    ['strings', {}, arg('string', 'z'), 'chips'],
    ['strings', {}, arg('list', '["z"]  # why', ['z']), 'code'],
    ['bool', {}, arg('bool', 'True'), 'bool'],
    ['bool', {}, arg('number', '1'), 'code'],
    ['int', {}, null, 'number'],
    ['int', {}, arg('number', '-3'), 'number'],
    ['int', {}, arg('none', 'None'), 'number'],
    ['int', {}, arg('code', 'n + 1'), 'code'],
    ['float', {}, null, 'number'],
    ['value', {}, arg('number', '0'), 'number'],
    ['value', {}, arg('numbers', '[1]', ['1']), 'code'],
    ['ints', {}, null, 'chips'],
    ['ints', {}, arg('number', '1'), 'chips'],
    ['numbers', {}, arg('numbers', '[2, 5]', ['2', '5']), 'chips'],
    ['numbers', {}, arg('list', '[]', []), 'chips'],
    ['numbers', {}, arg('code', '[2 * x]'), 'code'],
    ['string', {}, arg('string', 'x'), 'text'],
    ['string', {}, arg('string', 'x\ny'), 'code'],
    ['prompt', {}, arg('string', '1+2='), 'text'],
    ['prompt', {}, arg('code', 'p[0]'), 'code'],
    ['model', {}, arg('code', 'm'), 'name'],
    ['prompts', {}, null, 'name'],
    ['prompts', {}, arg('code', 'p'), 'name'],
    ['prompts', {}, arg('calls', 'prompts("{a}=")'), 'calls'],
    ['patches', {}, null, 'calls'],
    ['patches', {}, arg('calls', '[patch("z")]'), 'calls'],
    ['patches', {}, arg('code', 'found'), 'code'],
    ['edits', {}, arg('list', '[]', []), 'calls'],
    ['range', {}, null, 'range'],
    ['range', {}, arg('range', 'range(9)', ['0', '9', '1']), 'range'],
    ['range', {}, arg('numbers', '[1, 2]', ['1', '2']), 'range'],
    ['range', {}, arg('code', 'range(n)'), 'code'],
    ['rows', {}, null, 'rows'],
    ['rows', {}, arg('list', '[\n    "1+2=",\n]', ['1+2=']), 'rows'],
    ['rows', {}, arg('pairs', '[("1", "2")]', ['1', '2']), 'rows'],
    ['rows', {}, arg('pairs', '[("1|3", "2")]', ['1|3', '2']), 'code'],
    ['rows', {}, arg('string', 'text\n1+2=\n'), 'rows'],
    ['rows', {}, arg('code', 'found'), 'code'],
  ] as const)('shows %s %o %o as %s', (type, more, given, want) => {
    expect(controlOf(param(type, more as Partial<ParamInfo>), given)).toBe(want);
  });
});

it('sets what is given and required before the rest', () => {
  const params = [param('model', { name: 'm', required: true }), param('int', { name: 'n' }), param('int', { name: 'seed' })];
  const { shown, more } = fields(call(params, [{ name: 'seed', kind: 'number', text: '2' }]));
  expect([shown.map((f) => f.param.name), more.map((f) => f.param.name)]).toEqual([['m', 'seed'], ['n']]);
});

it('leaves out what a set of prompts holds', () => {
  const params = [param('prompts', { name: 'prompts' }), param('int', { name: 'n', chooses: 'prompts' }), param('choice', { name: 'change', chooses: 'pairs' })];
  const names = (args: FormArg[]) => fields(call(params, args)).more.map((f) => f.param.name);
  expect(names([])).toEqual(['prompts', 'n', 'change']);
  expect(names([{ name: 'prompts', kind: 'code', text: 'p' }])).toEqual(['change']);
  expect(names([{ name: 'prompts', kind: 'none', text: 'None' }])).toEqual(['n', 'change']);
  const both = fields(call(params, [{ name: 'prompts', kind: 'code', text: 'q' }, { name: 'n', kind: 'number', text: '3' }]), { pairs: true });
  expect([both.shown.map((f) => f.param.name), both.more]).toEqual([['prompts', 'n'], []]);
  expect(both.shown.map(given)).toEqual(['', 'prompts and n both say which prompts to take; leave n out']);
});

it('names what is given beyond the bounds of the model', () => {
  const params = [param('int', { name: 'layer', index: 'layers' }), param('ints', { name: 'heads', index: 'heads' })];
  const args: FormArg[] = [{ name: 'layer', kind: 'number', text: '4' }, { name: 'heads', kind: 'numbers', text: '[0, 9]', items: ['0', '9'] }];
  const model = { layers: 4, heads: 2 } as ModelInfo;
  expect(fields(call(params, args), { model }).shown.map(given)).toEqual(['4 is outside -4..3; use -4 to 3', '9 is outside -2..1; use -2 to 1']);
  expect(fields(call(params, args)).shown.map(given)).toEqual(['', '']);
});

it('shows defaults', () => {
  const field = (p: ParamInfo, a: FormArg | null = null) => ({ param: p, arg: a, control: controlOf(p, a), held: false });
  expect(shownText(field(param('choice', { choices: ['x'], default: '"x"' })))).toBe('x');
  expect(shownText(field(param('int', { default: '40' })))).toBe('');
  expect(shownText(field(param('prompt', { default: 'None' })))).toBe('');
  expect(shownText(field(param('int'), arg('string', 'x')))).toBe('"x"');
  expect([placeholder(param('int', { default: '40' })), placeholder(param('prompt', { default: 'None' })), placeholder(param('string', { default: '""' }))]).toEqual(['40', '', '']);
  expect(items(field(param('strings', { choices: ['a', 'b'], default: '["a"]' })))).toEqual(['a']);
  expect(items(field(param('strings', { choices: ['a', 'b'] }), arg('list', '', ['b'])))).toEqual(['b']);
  expect(items(field(param('numbers', { default: '[2, 5]' })))).toEqual(['2', '5']);
  expect(items(field(param('ints', { default: 'None' })))).toEqual([]);
  expect(items(field(param('ints'), arg('number', '-1')))).toEqual(['-1']);
});
