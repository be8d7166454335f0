// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as http from '../api/http';
import { readDrafts } from './drafts';
import { emptyNotebook, load, type NotebookState } from './reducer';
import { Saving } from './saving.svelte';

type Answer = (body: { revision: number; ops: { source: string }[] }) => { status: number; body: unknown };

let answer: Answer;
let sent: string[];

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
  sent = [];
  answer = ({ revision }) => ({ status: 200, body: { revision: revision + 1, seq: 1, saved_at: '2026-11-24T18:41:07Z' } });
  vi.stubGlobal('fetch', (_: string, init: RequestInit) => {
    const body = JSON.parse(String(init.body)) as Parameters<Answer>[0];
    sent.push(body.ops[0]!.source);
    const got = answer(body);
    if (got.status === 0) return Promise.reject(new TypeError('network'));
    return Promise.resolve(new Response(JSON.stringify(got.body), { status: got.status }));
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function opened(): { state: NotebookState; saving: Saving } {
  const state = emptyNotebook('n');
  const cell = { id: 'c', kind: 'code' as const, source: 'a', state: 'idle' as const, validity: 'fresh' as const };
  const notebook = { id: 'n', title: '', revision: 5, cells: [cell], can_undo: false, can_redo: false };
  load(state, { seq: 1, saved_at: '', variables: [], jobs: [], notebook });
  return { state, saving: new Saving(state, async (make) => http.edit('n', make())) };
}

describe('writing', () => {
  it('is sent once when it pauses, and kept here until then', async () => {
    const { state, saving } = opened();
    saving.write('c', 'ab');
    saving.write('c', 'abc');
    expect(readDrafts(localStorage, 'n')['c']).toEqual({ text: 'abc', base: 'a', revision: 5 });
    expect(sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(500);
    expect(sent).toEqual(['abc']);
    expect([saving.pending, state.savedAt, state.cells[0]!.source]).toEqual([false, '2026-11-24T18:41:07Z', 'abc']);
    expect(readDrafts(localStorage, 'n')).toEqual({});
  });

  it('that goes on while the answer is under way is sent too', async () => {
    const { saving } = opened();
    saving.write('c', 'ab');
    const first = saving.flush();
    saving.write('c', 'abc');
    await first;
    expect([saving.pending, saving.textOf('c', '')]).toEqual([true, 'abc']);
    expect(await saving.flush()).toBe(true);
    expect(sent).toEqual(['ab', 'abc']);
  });

  it('nothing new is not sent', async () => {
    const { saving } = opened();
    saving.write('c', 'a');
    expect([saving.pending, await saving.flush(), sent]).toEqual([false, true, []]);
  });
});

describe('trouble', () => {
  it.each([
    ['the network', 0, /does not answer/],
    ['a full disk', 507, /no space/],
  ])('with %s is said, and the text sent again', async (_, status, why) => {
    const { saving } = opened();
    answer = () => ({ status, body: { code: 'storage', message: 'no space left', hint: 'free some' } });
    saving.write('c', 'ab');
    expect(await saving.flush()).toBe(false);
    expect(saving.trouble?.message).toMatch(why);
    expect(saving.trouble?.retryAt).toBeGreaterThan(0);
    expect(saving.pending).toBe(true);
    answer = () => ({ status: 200, body: { revision: 6, seq: 1, saved_at: 'x' } });
    await vi.advanceTimersByTimeAsync(1100);
    expect([saving.pending, saving.trouble]).toEqual([false, null]);
  });

  it('with another page waits for the reader', async () => {
    const { state, saving } = opened();
    answer = ({ revision }) =>
      revision === 5
        ? { status: 409, body: { code: 'conflict', message: 'changed elsewhere', hint: 'theirs' } }
        : { status: 200, body: { revision: revision + 1, seq: 1, saved_at: 'x' } };
    saving.write('c', 'mine');
    await saving.flush();
    expect(saving.refused['c']).toEqual({ message: 'changed elsewhere', hint: 'theirs', conflict: true });
    saving.write('c', 'mine too');
    await vi.advanceTimersByTimeAsync(5000);
    expect(sent).toEqual(['mine']);
    state.revision = 7;
    saving.settle('c', 'mine');
    await vi.advanceTimersByTimeAsync(10);
    expect([sent.at(-1), saving.pending]).toEqual(['mine too', false]);
  });

  it('with another page can end by taking its text', async () => {
    const { saving } = opened();
    answer = () => ({ status: 409, body: { code: 'conflict', message: 'changed' } });
    saving.write('c', 'mine');
    await saving.flush();
    saving.settle('c', 'theirs');
    expect([saving.pending, saving.textOf('c', 'theirs'), readDrafts(localStorage, 'n')]).toEqual([false, 'theirs', {}]);
  });

  it('with a cell that is gone keeps the text for the reader', async () => {
    const { saving } = opened();
    answer = () => ({ status: 404, body: { code: 'not_found', message: 'no cell "c"' } });
    saving.write('c', 'mine');
    await saving.flush();
    expect([saving.pending, saving.orphans['c']?.text]).toEqual([false, 'mine']);
  });
});

it('sends what an earlier visit could not', async () => {
  localStorage.setItem('orrery.drafts.n', JSON.stringify({ c: { text: 'left', base: 'a', revision: 5 } }));
  const { saving } = opened();
  saving.restore();
  expect(saving.textOf('c', 'a')).toBe('left');
  await vi.advanceTimersByTimeAsync(10);
  expect([sent, saving.pending]).toEqual([['left'], false]);
});
