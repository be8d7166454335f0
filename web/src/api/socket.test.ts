// @vitest-environment jsdom
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type * as api from './types.gen';
import { backoff, EventSocket, socketURL } from './socket';

class FakeSocket {
  static readonly CONNECTING = 0;
  static made: FakeSocket[] = [];
  readyState = 1;
  closed = false;
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((m: { data: string }) => void) | null = null;
  constructor(readonly url: string) {
    FakeSocket.made.push(this);
  }
  close(): void {
    this.closed = true;
    this.onclose?.();
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.made = [];
  vi.stubGlobal('WebSocket', FakeSocket);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function opened() {
  const events: api.Event[] = [];
  const connected: boolean[] = [];
  let since = 4;
  const socket = new EventSocket({
    url: (n) => `ws://x/events?since=${n}`,
    since: () => since,
    onEvent: (e) => {
      events.push(e);
      since = e.seq;
    },
    onConnected: (c) => connected.push(c),
  });
  return { socket, events, connected };
}

it('waits longer each time, up to a limit', () => {
  expect([0, 1, 2, 20].map((n) => backoff(n, 0.5))).toEqual([250, 500, 1000, 8000]);
  expect(backoff(0, 0)).toBeLessThan(backoff(0, 1));
});

it('comes back and asks for what it missed', async () => {
  const { events, connected, socket } = opened();
  const [first] = FakeSocket.made;
  first!.onopen?.();
  first!.onmessage?.({ data: JSON.stringify({ op: 'variables', seq: 9, revision: 1 }) });
  first!.onclose?.();
  await vi.advanceTimersByTimeAsync(400);
  expect(FakeSocket.made.map((s) => s.url)).toEqual(['ws://x/events?since=4', 'ws://x/events?since=9']);
  FakeSocket.made[1]!.onopen?.();
  expect([events.length, connected]).toEqual([1, [true, false, true]]);
  socket.close();
});

it('never gives up', async () => {
  const { socket } = opened();
  for (let i = 0; i < 40; i++) {
    FakeSocket.made.at(-1)!.onclose?.();
    await vi.advanceTimersByTimeAsync(10_001);
  }
  expect(FakeSocket.made).toHaveLength(41);
  socket.close();
});

it('waits longer after each failure, and begins anew once it was there', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  const { socket } = opened();
  const tries = async (ms: number) => {
    FakeSocket.made.at(-1)!.onclose?.();
    await vi.advanceTimersByTimeAsync(ms);
    return FakeSocket.made.length;
  };
  expect(await tries(250)).toBe(2);
  expect(await tries(499)).toBe(2);
  await vi.advanceTimersByTimeAsync(1);
  expect(FakeSocket.made).toHaveLength(3);
  FakeSocket.made.at(-1)!.onopen?.();
  expect(await tries(250)).toBe(4);
  socket.close();
  vi.restoreAllMocks();
});

it('is closed when it has opened, and says nothing of it', () => {
  const { socket, connected } = opened();
  const [made] = FakeSocket.made;
  made!.readyState = FakeSocket.CONNECTING;
  socket.close();
  expect(made!.closed).toBe(false);
  made!.onopen?.();
  expect([made!.closed, connected]).toEqual([true, []]);
});

it('tries at once when the network is back, and not after it was closed', async () => {
  const { socket } = opened();
  for (let i = 0; i < 6; i++) {
    FakeSocket.made.at(-1)!.onclose?.();
    await vi.advanceTimersByTimeAsync(10_001);
  }
  FakeSocket.made.at(-1)!.onclose?.();
  const before = FakeSocket.made.length;
  dispatchEvent(new Event('online'));
  expect(FakeSocket.made).toHaveLength(before + 1);
  socket.close();
  dispatchEvent(new Event('online'));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(FakeSocket.made).toHaveLength(before + 1);
});

it('leaves a connection that is there alone when the network is said to be back', () => {
  const { socket } = opened();
  FakeSocket.made.at(-1)!.onopen?.();
  dispatchEvent(new Event('online'));
  expect(FakeSocket.made).toHaveLength(1);
  socket.close();
});

it('does not try again a second time after it was hurried', async () => {
  const { socket } = opened();
  FakeSocket.made.at(-1)!.onclose?.();
  dispatchEvent(new Event('online'));
  await vi.advanceTimersByTimeAsync(10_001);
  expect(FakeSocket.made).toHaveLength(2);
  socket.close();
});

it('is as safe as the page', () => {
  vi.stubGlobal('location', { protocol: 'https:', host: 'a:1' });
  expect(socketURL('/x')).toBe('wss://a:1/x');
  vi.stubGlobal('location', { protocol: 'http:', host: 'a:1' });
  expect(socketURL('/x')).toBe('ws://a:1/x');
});
