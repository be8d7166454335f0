// @vitest-environment jsdom
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type * as api from '../api/types.gen';
import { Session } from './session.svelte';

/** A connection that the test opens, speaks on and cuts. */
class Socket {
  static readonly CONNECTING = 0;
  static made: Socket[] = [];
  readyState = 1;
  closed = false;
  onopen?: () => void;
  onmessage?: (m: { data: string }) => void;
  onclose?: () => void;
  constructor(readonly url: string) {
    Socket.made.push(this);
  }
  close(): void {
    this.closed = true;
  }
  get since(): string | null {
    return new URL(this.url).searchParams.get('since');
  }
  say(event: Partial<api.Event>): void {
    this.onmessage!({ data: JSON.stringify({ revision: 3, ...event }) });
  }
}

let reads: number;
let status: number;
let workspace: number;
/** What the page does at the next frame. */
let frames: (() => void)[];
const frame = () => frames.splice(0).forEach((f) => f());
const answer = (code: number, body: unknown) => new Response(JSON.stringify(body), { status: code });
const cell = { id: 'a', kind: 'code', source: 'a = 1', state: 'idle', validity: 'fresh' };
const variable = (name: string) => ({ name, cell: 'a', value: { type: 'int', repr: '1' } });

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
  Socket.made = [];
  [reads, status, workspace, frames] = [0, 200, 200, []];
  vi.stubGlobal('WebSocket', Socket);
  vi.stubGlobal('requestAnimationFrame', (f: () => void) => frames.push(f));
  vi.stubGlobal('fetch', async (path: string) => {
    if (path.endsWith('/workspace')) return workspace === 0 ? Promise.reject(new TypeError('gone')) : answer(workspace, { code: 'unauthorized', message: 'no token' });
    reads++;
    if (status === 0) throw new TypeError('gone');
    const notebook = { id: 'n', title: 'N', revision: 3, cells: [cell], can_undo: false, can_redo: false };
    return answer(status, status === 200 ? { seq: 4, notebook, variables: [], jobs: [], saved_at: '' } : { code: 'not_found', message: 'no notebook n' });
  });
});

let session: Session;
afterEach(() => {
  session.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function opened(): Promise<Socket> {
  session = new Session('n');
  await vi.advanceTimersByTimeAsync(10);
  Socket.made[0]!.onopen!();
  return Socket.made[0]!;
}

/** Cuts the connection and waits for the next one. */
async function cut(socket: Socket): Promise<Socket> {
  const { length } = Socket.made;
  socket.onclose!();
  await vi.advanceTimersByTimeAsync(2000);
  expect(Socket.made).toHaveLength(length + 1);
  return Socket.made.at(-1)!;
}

it('asks for events behind its snapshot', async () => {
  expect((await opened()).since).toBe('4');
});

it('asks anew for what comes behind the events that still wait for a frame', async () => {
  const first = await opened();
  first.say({ seq: 5, op: 'variables', variables: [variable('x')] });
  first.say({ seq: 6, op: 'variables', variables: [variable('y')] });
  expect([session.state.seq, session.state.variables]).toEqual([4, []]);
  const second = await cut(first);
  expect(second.since).toBe('6');
  frame();
  expect([session.state.seq, session.state.variables.map((v) => v.name)]).toEqual([6, ['y']]);
  expect((await cut(second)).since).toBe('6');
});

it('applies what waits at once a frame, in order, and an event that was there already never again', async () => {
  const socket = await opened();
  socket.say({ seq: 5, op: 'variables', variables: [variable('x')] });
  socket.say({ seq: 6, op: 'variables', variables: [variable('y')] });
  expect(frames).toHaveLength(1);
  frame();
  socket.say({ seq: 5, op: 'variables', variables: [variable('old')] });
  expect(frames).toHaveLength(1);
  frame();
  expect(session.state.variables.map((v) => v.name)).toEqual(['y']);
});

it('keeps unsent text of a cell that a snapshot no longer has', async () => {
  const socket = await opened();
  session.saving.write('a', 'a = 2');
  const notebook = { id: 'n', title: 'N', revision: 9, cells: [], can_undo: false, can_redo: false };
  socket.say({ seq: 9, op: 'snapshot', snapshot: { seq: 9, notebook, variables: [], jobs: [], saved_at: '' } });
  frame();
  expect([session.state.cells, session.saving.orphans['a']?.text]).toEqual([[], 'a = 2']);
});

it('applies events of a page that is not looked at without a frame', async () => {
  const socket = await opened();
  vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden');
  socket.say({ seq: 5, op: 'variables', variables: [variable('x')] });
  expect(frames).toEqual([]);
  await vi.advanceTimersByTimeAsync(250);
  expect(session.state.seq).toBe(5);
  vi.restoreAllMocks();
});

it('reads the notebook anew when an event does not fit', async () => {
  const socket = await opened();
  const complaint = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const figure = { kind: 'lines', title: '', subtitle: '', provenance: {}, arrays: { x: { shape: [9], axes: ['x'], f32: '' } } };
  socket.say({ seq: 5, op: 'cell.output', output: { cell: 'a', output: { id: 'o', kind: 'figure', figure } as unknown as api.Output } });
  frame();
  await vi.advanceTimersByTimeAsync(10);
  expect([reads, session.state.seq]).toEqual([2, 4]);
  expect(complaint).toHaveBeenCalledOnce();
  vi.restoreAllMocks();
});

it('says since when the connection is gone, and that it is back', async () => {
  const first = await opened();
  expect(session.lostAt).toBe(0);
  const before = Date.now();
  first.onclose!();
  expect(session.lostAt).toBe(before);
  await vi.advanceTimersByTimeAsync(5000);
  Socket.made.at(-1)!.onclose!();
  expect(session.lostAt).toBe(before);
  await vi.advanceTimersByTimeAsync(5000);
  Socket.made.at(-1)!.onopen!();
  expect([session.lostAt, session.signedOut]).toEqual([0, false]);
});

it.each([
  [401, true],
  [503, false],
  [0, false],
])('knows from an answer of %d whether the program was started anew', async (code, want) => {
  const first = await opened();
  workspace = code;
  first.onclose!();
  await vi.advanceTimersByTimeAsync(5000);
  expect(session.signedOut).toBe(want);
  Socket.made.at(-1)!.onopen!();
  expect(session.signedOut).toBe(false);
});

it('sends what was written meanwhile as soon as it is back', async () => {
  const first = await opened();
  const second = await cut(first);
  session.saving.write('a', 'a = 2');
  const flush = vi.spyOn(session.saving, 'flush');
  second.onopen!();
  expect(flush).toHaveBeenCalledOnce();
});

it('tries again each second while the program does not answer, and says when there is no such notebook', async () => {
  status = 0;
  session = new Session('n');
  await vi.advanceTimersByTimeAsync(2500);
  expect([reads, session.missing, session.lostAt > 0]).toEqual([3, null, true]);
  status = 404;
  await vi.advanceTimersByTimeAsync(1000);
  expect(session.missing?.message).toBe('no notebook n');
  await vi.advanceTimersByTimeAsync(5000);
  expect(reads).toBe(4);
});

it('reads nothing more once it is closed', async () => {
  status = 0;
  session = new Session('n');
  await vi.advanceTimersByTimeAsync(500);
  session.close();
  await vi.advanceTimersByTimeAsync(5000);
  expect(reads).toBe(1);
});
