import { expect, it } from 'vitest';
import { errorSpan } from './mark';

const text = 'm = load("x")\nlogits, cache = m.run_with_cache("é𝟙" ** 2)\n';

function marked(line: number, column?: number): string | null {
  const span = errorSpan(text, line, column);
  return span && text.slice(span.from, span.to);
}

it('marks the name at a place, behind a dot or before a bracket, or a character', () => {
  expect(marked(1)).toBe('m');
  expect(marked(1, 5)).toBe('load');
  expect(marked(2, 18)).toBe('run_with_cache');
  expect(marked(2, 17)).toBe('m');
  expect(marked(2, 7)).toBe(',');
  expect(marked(1, 9)).toBe('load');
  expect(marked(2, 33)).toBe('run_with_cache');
});

it('counts characters, not units of UTF-16', () => {
  expect(marked(2, 39)).toBe('*');
});

it('stays within the line, and marks nothing where there is none', () => {
  expect(marked(1, 99)).toBe(')');
  expect(marked(3)).toBe('');
  expect(errorSpan(text, 4)).toBeNull();
  expect(errorSpan(text, undefined)).toBeNull();
});
