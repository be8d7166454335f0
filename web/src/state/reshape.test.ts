import { expect, it } from 'vitest';
import { headed, joined, splitAt } from './reshape';

it('splits a text at the caret and drops the blank lines there', () => {
  expect(splitAt('a = 1\nb = 2', 6)).toEqual(['a = 1', 'b = 2']);
  expect(splitAt('a = 1\n\n\n  b = 2', 6)).toEqual(['a = 1', '  b = 2']);
  expect(splitAt('f(x)', 2)).toEqual(['f(', 'x)']);
  expect(splitAt('a', 0)).toEqual(['', 'a']);
  expect(splitAt('a\n', 2)).toEqual(['a', '']);
});

it('joins lines of code and paragraphs of Markdown', () => {
  expect(joined('a = 1\n', 'b = 2', 'code')).toBe('a = 1\nb = 2');
  expect(joined('One.', 'Two.', 'markdown')).toBe('One.\n\nTwo.');
  expect(joined('  ', 'b', 'code')).toBe('b');
  expect(joined('a', '', 'markdown')).toBe('a');
});

it('makes the first line a heading of a level, whatever level it had', () => {
  expect(headed('Title\n\nText', 2)).toBe('## Title\n\nText');
  expect(headed('### Title', 1)).toBe('# Title');
  expect(headed('', 3)).toBe('### ');
  expect(headed('#tag', 1)).toBe('# #tag');
});
