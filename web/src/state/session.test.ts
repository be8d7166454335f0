// @vitest-environment jsdom
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type * as api from '../api/types.gen';
import { Session } from './session.svelte';

// A server of one notebook: it counts revisions, refuses texts of cells that it
// does not know, and texts that were made on an older state of their cell.
let revision: number;
let cells: Map<string, { source: string; changed: number }>;
let log: string[];

class QuietSocket {
  static readonly CONNECTING = 0;
  readyState = 1;
  close(): void {}
}

const answer = (status: number, body: unknown) => new Response(JSON.stringify(body), { status });

function edit({ revision: seen, ops }: api.EditRequest): Response {
  for (const op of ops) {
    const id = op.cell ?? '';
    log.push(`${op.op} ${id} on ${seen}`);
    const known = cells.get(id);
    if (op.op === 'insert') cells.set(id, { source: op.source ?? '', changed: revision + 1 });
    else if (!known) return answer(404, { code: 'not_found', message: `no cell ${id}` });
    else if (known.changed > seen) return answer(409, { code: 'conflict', message: 'changed elsewhere', hint: known.source });
    else Object.assign(known, { source: op.source, changed: revision + 1 });
  }
  revision++;
  return answer(200, { revision, seq: revision, saved_at: '2026-11-24T18:41:07Z', cells: [] } satisfies api.EditResponse);
}

beforeEach(() => {
  localStorage.clear();
  revision = 3;
  cells = new Map([['a', { source: 'a = 1', changed: 1 }]]);
  log = [];
  vi.stubGlobal('WebSocket', QuietSocket);
  vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (path.endsWith('/edit')) return edit(JSON.parse(String(init.body)) as api.EditRequest);
    if (path.endsWith('/run')) {
      log.push('run');
      return answer(200, { jobs: [] });
    }
    const list = [...cells].map(([id, { source }]) => ({ id, kind: 'code', source, state: 'idle', validity: 'fresh' }));
    const notebook = { id: 'n', title: 'N', revision, cells: list, can_undo: false, can_redo: false };
    return answer(200, { seq: 1, notebook, variables: [], jobs: [], saved_at: '' });
  });
});
afterEach(() => vi.unstubAllGlobals());

async function opened(): Promise<Session> {
  const session = new Session('n');
  await vi.waitFor(() => expect(session.state.loaded).toBe(true));
  return session;
}

it('shows a new cell at once; what is written into it at once is saved, then run', async () => {
  const session = await opened();
  const { id, done } = session.insert(1, 'code', '');
  expect(session.state.cells.map((c) => c.id)).toEqual(['a', id]);
  session.saving.write(id, 'b = 2');
  await session.run([id]);
  expect(await done).toBe(true);
  expect([cells.get(id)?.source, session.saving.pending, session.saving.refused]).toEqual(['b = 2', false, {}]);
  expect(log.map((l) => l.split(' ')[0])).toEqual(['insert', 'source', 'run']);
  session.close();
});

it('sets the text of a new cell before it is told of the cell', async () => {
  const session = await opened();
  const { id } = session.insert(1, 'code', '');
  expect(await session.apply([{ op: 'source', cell: id, source: '## ' }])).toBe(true);
  expect([cells.get(id)?.source, session.state.revision, session.notice]).toEqual(['## ', 3, null]);
  // Not over what another page wrote meanwhile, in this cell or beside it.
  Object.assign(cells.get(id)!, { source: 'theirs', changed: ++revision });
  expect(await session.apply([{ op: 'source', cell: id, source: 'mine' }])).toBe(false);
  cells.set('a', { source: 'theirs', changed: revision - 1 });
  expect(await session.apply([{ op: 'source', cell: 'a', source: 'mine' }])).toBe(false);
  expect([cells.get(id)?.source, cells.get('a')?.source]).toEqual(['theirs', 'theirs']);
  session.close();
});

it('takes a new cell back when the server refuses it, and says why', async () => {
  const session = await opened();
  vi.stubGlobal('fetch', async () => answer(507, { code: 'storage', message: 'no space left on the disk', hint: 'free some' }));
  const { done } = session.insert(0, 'code', '');
  expect(await done).toBe(false);
  expect([session.state.cells.map((c) => c.id), session.notice]).toEqual([['a'], { message: 'no space left on the disk', hint: 'free some' }]);
  session.close();
});

it('saves two texts of one cell one after the other without refusing its own', async () => {
  const session = await opened();
  session.saving.write('a', 'a = 2');
  const first = session.saving.flush();
  session.saving.write('a', 'a = 3');
  await first;
  await session.saving.flush();
  session.saving.write('a', 'a = 4');
  await session.saving.flush();
  expect([cells.get('a')?.source, session.saving.refused]).toEqual(['a = 4', {}]);
  session.close();
});

it('does not run what is not saved', async () => {
  const session = await opened();
  cells.set('a', { source: 'a = 9', changed: ++revision });
  session.saving.write('a', 'a = 2');
  await session.run(['a']);
  expect(log).not.toContain('run');
  expect(session.notice?.message).toBe('not run: the text of a cell is not saved');
  session.close();
});
