// @vitest-environment jsdom
import { beforeEach, expect, it } from 'vitest';
import { readDrafts, reconcile, writeDrafts } from './drafts';

const draft = { text: 'm = 2', base: 'm = 1', revision: 4 };

beforeEach(() => localStorage.clear());

it('keeps drafts by notebook', () => {
  expect(writeDrafts(localStorage, 'a/b', { c1: draft })).toBe(true);
  expect(readDrafts(localStorage, 'a/b')).toEqual({ c1: draft });
  expect(readDrafts(localStorage, 'other')).toEqual({});
  writeDrafts(localStorage, 'a/b', {});
  expect(localStorage).toHaveLength(0);
});

it.each([
  ['no JSON', '{'],
  ['a list', '[1]'],
  ['drafts of another form', '{"c1":{"text":1}}'],
  ['null', 'null'],
])('reads %s as no drafts', (_, stored) => {
  localStorage.setItem('orrery.drafts.n', stored);
  expect(readDrafts(localStorage, 'n')).toEqual({});
});

it('says when the browser has no room', () => {
  const full = { setItem: () => { throw new DOMException('full', 'QuotaExceededError'); } } as unknown as Storage;
  expect(writeDrafts(full, 'n', { c1: draft })).toBe(false);
});

it('sorts drafts by what the server has', () => {
  const drafts = { saved: draft, open: draft, gone: draft, empty: { ...draft, text: '  ' } };
  const { send, orphans } = reconcile(drafts, new Map([['saved', 'm = 2'], ['open', 'm = 1']]));
  expect(Object.keys(send)).toEqual(['open']);
  expect(Object.keys(orphans)).toEqual(['gone']);
});
