import { expect, it } from 'vitest';
import { firstLine, isBlank } from './start';

const text = (source: string) => ({ id: 't', kind: 'markdown' as const, source });
const code = (source: string) => ({ id: 'c', kind: 'code' as const, source });

it.each([
  ['nothing', [], true],
  ['a title and an empty cell', [text('# Untitled'), code(' \n')], true],
  ['a title and a sentence', [text('# Untitled\n\nHere we go.')], false],
  ['a line of code', [text('# Untitled'), code('1')], false],
])('finds %s blank: %s', (_, cells, want) => {
  expect(isBlank(cells)).toBe(want);
});

it('writes the first line where it belongs', () => {
  expect(firstLine([text('# U'), code('')], 'x')).toEqual({ op: 'source', cell: 'c', source: 'x' });
  expect(firstLine([text('# U')], 'x')).toEqual({ op: 'insert', index: 1, kind: 'code', source: 'x' });
});
