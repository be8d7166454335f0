import { expect, it } from 'vitest';
import { sentence } from './http';

it.each([
  ['there is no notebook "nope"', 'There is no notebook "nope".'],
  ['the disk refused the change: no space', 'The disk refused the change: no space.'],
  ['untitled.md cannot be read', 'untitled.md cannot be read.'],
  ['"../x" cannot name a notebook', '"../x" cannot name a notebook.'],
  ['is it there?', 'Is it there?'],
  ['', ''],
])('makes %s a sentence', (text, want) => expect(sentence(text)).toBe(want));
