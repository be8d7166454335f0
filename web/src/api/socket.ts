// The stream of events: one websocket that comes back by itself, for as long
// as it takes, and asks for what it missed by sequence number.
import type * as api from './types.gen';

export interface SocketOptions {
  /** The address for events after a sequence number. */
  url: (since: number) => string;
  /** The last sequence number that the page has. */
  since: () => number;
  onEvent: (event: api.Event) => void;
  /** Called with true when events flow, with false when they stop. */
  onConnected: (connected: boolean) => void;
}

const FIRST_WAIT = 250;
const LONGEST_WAIT = 8000;

/** The wait before the n-th attempt, from 0; jitter is 0..1. */
export function backoff(attempt: number, jitter: number): number {
  return Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(attempt, 10)) * (0.75 + 0.5 * jitter);
}

export class EventSocket {
  private socket: WebSocket | null = null;
  private attempt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private closed = false;

  constructor(private readonly options: SocketOptions) {
    addEventListener('online', this.hurry);
    document.addEventListener('visibilitychange', this.hurry);
    this.connect();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    removeEventListener('online', this.hurry);
    document.removeEventListener('visibilitychange', this.hurry);
    const { socket } = this;
    if (!socket) return;
    // A socket that is closed before it is open makes the browser complain.
    if (socket.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close();
    else socket.close();
  }

  /** Tries at once where a wait is under way: the network or the reader is back. */
  readonly hurry = (): void => {
    if (document.visibilityState === 'hidden' || this.socket || this.closed) return;
    clearTimeout(this.timer);
    this.attempt = 0;
    this.connect();
  };

  private connect(): void {
    const socket = new WebSocket(this.options.url(this.options.since()));
    this.socket = socket;
    socket.onopen = () => {
      this.attempt = 0;
      this.options.onConnected(true);
    };
    socket.onmessage = (message: MessageEvent<string>) => {
      this.options.onEvent(JSON.parse(message.data) as api.Event);
    };
    socket.onclose = () => {
      if (this.socket === socket) this.socket = null;
      if (this.closed) return;
      this.options.onConnected(false);
      this.timer = setTimeout(() => this.connect(), backoff(this.attempt++, Math.random()));
    };
  }
}

/** The websocket address of a path on this server. */
export function socketURL(path: string): string {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${path}`;
}
