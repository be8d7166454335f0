// @vitest-environment jsdom
import { expect, it } from 'vitest';
import { readForms, writeForms } from './forms';

it('keeps which cells are forms, by notebook, as long as the cells are there', () => {
  localStorage.clear();
  writeForms(localStorage, 'a', { x: true, gone: true }, ['w', 'x']);
  writeForms(localStorage, 'b', { y: true }, ['y']);
  expect([readForms(localStorage, 'a'), readForms(localStorage, 'b'), readForms(localStorage, 'c')]).toEqual([{ x: true }, { y: true }, {}]);
  writeForms(localStorage, 'a', {}, ['w', 'x']);
  expect(localStorage.getItem('orrery.forms.a')).toBeNull();
  localStorage.setItem('orrery.forms.a', '{"x": 1}');
  expect(readForms(localStorage, 'a')).toEqual({});
  localStorage.setItem('orrery.forms.a', '[');
  expect(readForms(localStorage, 'a')).toEqual({});
});
