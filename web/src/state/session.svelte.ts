// One open notebook: what the server says about it, and what the reader asks.
import * as http from '../api/http';
import { EventSocket, socketURL } from '../api/socket';
import type * as api from '../api/types.gen';
import { emptyNotebook, load, newCell, newID, reduce, type CellView, type NotebookState } from './reducer';
import { Saving } from './saving.svelte';

/** A line in words above the page, with its next step. */
export interface Notice {
  message: string;
  hint: string;
}

export class Session {
  readonly state: NotebookState;
  readonly saving: Saving;
  notice = $state<Notice | null>(null);
  /** When the connection was lost, ms of Date.now(); 0 while it is there. */
  lostAt = $state(0);
  /** True when the program that answers now does not know this page: it was started anew. */
  signedOut = $state(false);
  /** True when the notebook could not be read at all. */
  missing = $state<Notice | null>(null);
  private socket: EventSocket | null = null;
  private waiting: api.Event[] = [];
  /** The end of the last edit that was sent. */
  private edited: Promise<unknown> = Promise.resolve();
  private frame = 0;
  private closed = false;

  constructor(id: string) {
    this.state = $state(emptyNotebook(id));
    this.saving = new Saving(this.state, (make) => this.post(make));
    void this.open();
  }

  close(): void {
    this.closed = true;
    this.socket?.close();
    this.saving.close();
    cancelAnimationFrame(this.frame);
  }

  private async open(): Promise<void> {
    try {
      const snapshot = await http.snapshot(this.state.id);
      if (this.closed) return;
      load(this.state, snapshot, performance.now());
      this.saving.restore();
      this.missing = null;
      this.listen();
    } catch (error) {
      if (this.closed) return;
      if (error instanceof http.Unreachable) {
        this.lostAt ||= Date.now();
        setTimeout(() => !this.closed && void this.open(), 1000);
      } else this.missing = http.inWords(error);
    }
  }

  private listen(): void {
    this.lostAt = 0;
    this.socket = new EventSocket({
      url: (since) => socketURL(`${http.notebookPath(this.state.id)}/events?since=${since}`),
      since: () => this.waiting.at(-1)?.seq ?? this.state.seq,
      onEvent: (event) => this.receive(event),
      onConnected: (connected) => this.connected(connected),
    });
  }

  private connected(connected: boolean): void {
    if (connected) {
      this.lostAt = 0;
      this.signedOut = false;
      if (this.saving.pending) void this.saving.flush();
      return;
    }
    this.lostAt ||= Date.now();
    void this.askWhy();
  }

  /** A refused websocket does not say why; a plain request does. */
  private async askWhy(): Promise<void> {
    try {
      await http.workspace();
    } catch (error) {
      this.signedOut = error instanceof http.ApiError && error.status === 401;
    }
  }

  /** Events are applied once a frame, so that a fast stream does not slow the page. */
  private receive(event: api.Event): void {
    this.waiting.push(event);
    if (this.waiting.length > 1) return;
    const apply = () => this.applyWaiting();
    if (document.visibilityState === 'hidden') setTimeout(apply, 250);
    else this.frame = requestAnimationFrame(apply);
  }

  private applyWaiting(): void {
    const events = this.waiting;
    this.waiting = [];
    const now = performance.now();
    try {
      for (const event of events) {
        reduce(this.state, event, now);
        if (event.op === 'snapshot') this.saving.restore();
      }
    } catch (error) {
      console.error('an event did not fit; reading the notebook anew:', error);
      void this.reload();
    }
  }

  private async reload(): Promise<void> {
    await this.ask(async () => load(this.state, await http.snapshot(this.state.id), performance.now()));
  }

  /** Runs a request; trouble becomes a notice. Returns undefined then. */
  private async ask<T>(request: () => Promise<T>): Promise<T | undefined> {
    try {
      const answer = await request();
      this.notice = null;
      return answer;
    } catch (error) {
      this.notice = http.inWords(error);
      return undefined;
    }
  }

  cell(id: string): CellView | undefined {
    return this.state.cells.find((c) => c.id === id);
  }

  /** Sends an edit when the one before has been answered; it is made then, with the revisions known by then. */
  private post(make: () => api.EditRequest): Promise<api.EditResponse> {
    const answer = this.edited.then(() => this.sendNow(make()));
    this.edited = answer.catch(() => undefined);
    return answer;
  }

  private async sendNow(body: api.EditRequest): Promise<api.EditResponse> {
    const ack = await http.edit(this.state.id, body);
    for (const op of body.ops) {
      if (op.cell && (op.op === 'insert' || op.op === 'source')) this.state.acked[op.cell] = ack.revision;
    }
    return ack;
  }

  /** Changes the document's structure, after all unsent text; false when that failed. */
  async apply(ops: api.Op[]): Promise<boolean> {
    await this.saving.flush();
    return this.change(ops);
  }

  /**
   * The revision that an edit is made on: the document's or, of cells whose texts it
   * sets, that of the page's own last edit, which may be answered before it is told.
   */
  private seen(ops: api.Op[]): number {
    const texts = ops.filter((op) => op.op === 'source').map((op) => this.state.acked[op.cell ?? ''] ?? 0);
    return Math.max(this.state.revision, texts.length > 0 ? Math.min(...texts) : 0);
  }

  private async change(ops: api.Op[]): Promise<boolean> {
    const ack = await this.ask(() => this.post(() => ({ revision: this.seen(ops), ops })));
    if (ack) this.state.savedAt = ack.saved_at;
    return ack !== undefined;
  }

  /**
   * Inserts a cell, which the page shows at once: what is typed next belongs
   * to it. Returns its id; done says whether the server took it.
   */
  insert(index: number, kind: api.CellKind, source: string): { id: string; done: Promise<boolean> } {
    const cell = newCell(newID(), kind, source);
    this.state.inserting.push({ index, cell });
    this.state.cells.splice(index, 0, cell);
    // Sent before any text of it.
    const done = this.change([{ op: 'insert', index, kind, source, cell: cell.id }]).then((taken) => {
      if (!taken) {
        this.state.inserting = this.state.inserting.filter((i) => i.cell.id !== cell.id);
        this.state.cells = this.state.cells.filter((c) => c.id !== cell.id);
      }
      return taken;
    });
    return { id: cell.id, done };
  }

  private async queue(request: api.RunRequest): Promise<void> {
    const saved = await this.saving.flush();
    await this.edited;
    if (!saved && this.saving.pending) {
      const why = this.saving.trouble ?? Object.values(this.saving.refused)[0];
      this.notice = { message: 'not run: the text of a cell is not saved', hint: why?.message ?? 'settle the marked cell first' };
      return;
    }
    await this.ask(() => http.run(this.state.id, request));
  }

  run = (cells: string[]) => this.queue({ cells });
  runStale = () => this.queue({ stale: true });
  runAll = () => this.queue({ all: true });
  /** Runs cells, or all of them, without a look into the result cache. */
  runAnew = (cells?: string[]) => this.queue(cells ? { cells, fresh: true } : { all: true, fresh: true });

  /** Stops the running cell and clears the queue; with a cell only that one. */
  interrupt = (cell?: string) => this.ask(() => http.interrupt(this.state.id, cell ? { cell } : {}));

  async resolve(keep: 'mine' | 'disk'): Promise<void> {
    await this.ask(async () => {
      await http.resolve(this.state.id, keep);
      this.state.conflict = null;
      this.saving.retryRefused();
    });
  }

  /** Saves now and says so: the server writes on every edit, so this only hurries. */
  async save(): Promise<void> {
    await this.saving.flush();
  }
}
