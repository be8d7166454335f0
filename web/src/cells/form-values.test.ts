import { describe, expect, it } from 'vitest';
import type { FormArg, ParamInfo, ParamType } from '../api/types.gen';
import { argument, block, bounds, bracketed, chipped, isNumber, listed, numbered, numberProblem, quoted, ranged, rangeProblem, rangeWords, rowsOf, rowsText, within } from './form-values';

const param = (type: ParamType, more: Partial<ParamInfo> = {}): ParamInfo => ({ name: 'p', type, required: false, help: '', ...more });
const arg = (kind: FormArg['kind'], text: string, items?: string[]): FormArg => ({ name: 'p', kind, text, ...(items && { items }) });

it('writes values as a cell does', () => {
  expect(quoted('a "b"\\\n')).toBe('"a \\"b\\"\\\\\\n"');
  expect(listed(['a', 'é'])).toBe('["a", "é"]');
  expect(bracketed(Array.from({ length: 30 }, () => '100'))).toMatch(/^\[\n {4}100,\n[^]*\n\]$/);
  expect([numbered(' 4 ', true), numbered('4.5', true), numbered('4.5', false), numbered('1e-3', false), numbered('x', false), numbered('', true)]).toEqual(['4', null, '4.5', '1e-3', null, null]);
  expect([argument(param('int', { default: '40' }), '40'), argument(param('int', { default: '40' }), '41'), argument(param('int', { required: true }), '')]).toEqual(['', '41', '']);
  expect(argument(param('ints', { default: '[-1]' }), '-1')).toBe('');
  expect([chipped(param('ints', { default: 'None' }), []), chipped(param('ints'), ['1']), chipped(param('ints'), ['1', '2']), chipped(param('numbers'), ['2']), chipped(param('strings'), [])]).toEqual(['', '1', '[1, 2]', '[2]', '[]']);
  expect(block('a "" \\ """\nb\n')).toBe('"""\na "" \\\\ \\"\\"\\"\nb\n"""');
});

describe('what is typed', () => {
  it.each([
    [param('int', { min: 1 }), '0', '0 is below 1; use 1 or more'],
    [param('int', { min: 1 }), '1', ''],
    [param('int', { min: 1 }), '1.5', '1.5 is no whole number'],
    [param('int', { min: 0, max: 8 }), '9', '9 is outside 0..8; use 0 to 8'],
    [param('float', { min: 0, max: 1, above: true }), '0', '0 is outside (0, 1]; use above 0, up to 1'],
    [param('numbers', { min: 2, most: 8 }), '1.5', '1.5 is below 2; use 2 or more'],
    [param('numbers', { min: 2, most: 8 }), 'ten', 'ten is no number'],
    [param('int'), '-7', ''],
  ])('%o %s', (p, text, want) => {
    expect(numberProblem(p, text)).toBe(want);
  });

  it('is bounded by the model', () => {
    const two = { layers: 4, heads: 2 };
    const said = (p: ParamInfo, text: string) => numberProblem(within(p, two), text);
    expect(said(param('int', { index: 'layers' }), '4')).toBe('4 is outside -4..3; use -4 to 3');
    expect(said(param('int', { index: 'layers', min: -1 }), '-2')).toBe('-2 is outside -1..3; use -1 to 3');
    expect(said(param('ints', { index: 'heads' }), '1')).toBe('');
    expect(said(param('strings', { index: 'layers' }), '9')).toBe('9 is outside -4..3; use -4 to 3');
    expect(numberProblem(within(param('int', { index: 'layers' }), undefined), '9')).toBe('');
    expect([isNumber(param('strings')), isNumber(param('strings', { index: 'layers' })), isNumber(param('choice'))]).toEqual([false, true, false]);
  });

  it('spells bounds', () => {
    expect(bounds(param('numbers', { min: 2, most: 8 }))).toBe('2 or more each, 8 at most');
    expect(bounds(param('ints', { most: 2 }))).toBe('2 at most');
    expect(bounds(param('int'))).toBe('');
  });
});

it('reads and writes ranges', () => {
  expect([ranged('0', '100', '1'), ranged('5', '20', '5')]).toEqual(['range(0, 100)', 'range(5, 20, 5)']);
  expect([rangeWords('0', '100', '1'), rangeWords('5', '20', '5'), rangeWords('5', '6', '1')]).toEqual(['100 numbers, 0 to 99', '3 numbers, 5, 10 to 15', '1 number, 5']);
  expect([rangeProblem('0', '9', '1'), rangeProblem('-1', '9', '1'), rangeProblem('9', '9', '1'), rangeProblem('0', 'x', '1'), rangeProblem('0', '9', '0')]).toEqual([
    '', '-1 is negative; use 0 or more', 'from 9 to below 9 there is no number', 'x is no whole number', 'a step of 0 is below 1; use 1, or 2 for every other number',
  ]);
});

it('reads rows and writes them back', () => {
  expect(rowsOf(arg('list', '', ['1+2=', '3+4=']))).toEqual({ kind: 'lines', text: '1+2=\n3+4=' });
  expect(rowsText('lines', '1+2=\n\n3+4=\n')).toEqual({ text: '["1+2=", "3+4="]' });
  expect(rowsOf(arg('pairs', '', ['1', '2', '3', '4']))).toEqual({ kind: 'pairs', text: '1 | 2\n3 | 4' });
  expect(rowsText('pairs', '1 | 2\n3|4')).toEqual({ text: '[("1", "2"), ("3", "4")]' });
  expect(rowsText('pairs', '1 | 2\n3')).toEqual({ problem: 'row 2, 3, is no pair; write clean | corrupted' });
  expect(rowsOf(arg('string', '\ntext\n1+2=\n'))).toEqual({ kind: 'file', text: 'text\n1+2=' });
  expect(rowsText('file', 'text\n1+2=\n')).toEqual({ text: '"""\ntext\n1+2=\n"""' });
  expect(rowsText('lines', ' \n')).toEqual({ problem: 'there are no rows' });
  expect(rowsOf(null)).toEqual({ kind: 'lines', text: '' });
});
