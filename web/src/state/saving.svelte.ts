// Unsent text and how it reaches the disk: sent when writing pauses, kept in
// this browser until the server has acknowledged it.
import * as http from '../api/http';
import type * as api from '../api/types.gen';
import { readDrafts, reconcile, writeDrafts, type Draft, type Drafts } from './drafts';
import type { NotebookState } from './reducer';

/** The pause in writing after which text is sent. */
const PAUSE = 400;
/** Statuses that say that the text itself is the trouble: sending it again would not help. */
const REFUSALS = [400, 409, 413, 422];
const LONGEST_WAIT = 10_000;

/** A text that the server refused. */
export interface Refusal {
  message: string;
  /** True when another page changed the same cell; hint is then the text that stands there. */
  conflict: boolean;
  hint: string;
}

/** Why text is not on disk, and when it is sent again. */
export interface SaveTrouble {
  message: string;
  hint: string;
  /** When the next attempt comes, ms of Date.now(); 0 when only the reader can help. */
  retryAt: number;
}

export class Saving {
  drafts = $state<Drafts>({});
  refused = $state<Record<string, Refusal>>({});
  /** Drafts of cells that no longer exist. */
  orphans = $state<Drafts>({});
  trouble = $state<SaveTrouble | null>(null);
  private timer: ReturnType<typeof setTimeout> | undefined;
  private sending: Promise<boolean> | null = null;
  private failures = 0;

  /**
   * post sends an edit once the edits before it have been answered, makes it only
   * then, and notes the revision of each text that it carried.
   */
  constructor(
    private readonly state: NotebookState,
    private readonly post: (make: () => api.EditRequest) => Promise<api.EditResponse>,
  ) {
    addEventListener('online', this.again);
  }

  close(): void {
    clearTimeout(this.timer);
    removeEventListener('online', this.again);
    if (this.pending) void this.flush();
  }

  /** True while some text is not acknowledged. */
  get pending(): boolean {
    return Object.keys(this.drafts).length > 0;
  }

  /** The text of a cell as the reader sees it. */
  textOf(cell: string, source: string): string {
    return this.drafts[cell]?.text ?? source;
  }

  /** Takes over what an earlier visit could not send. */
  restore(): void {
    const sources = new Map(this.state.cells.map((c) => [c.id, c.source]));
    const { send, orphans } = reconcile({ ...readDrafts(localStorage, this.state.id), ...this.drafts }, sources);
    this.drafts = send;
    this.orphans = orphans;
    this.keep();
    if (this.pending) this.schedule(0);
  }

  /** Notes the text of a cell; it is sent when the writing pauses. */
  write(cell: string, text: string): void {
    const source = this.state.cells.find((c) => c.id === cell)?.source ?? '';
    const draft = this.drafts[cell];
    if (draft) draft.text = text;
    else if (text !== source) this.drafts[cell] = { text, base: source, revision: this.seen(cell) };
    else return;
    this.keep();
    if (this.refused[cell]?.conflict) return;
    delete this.refused[cell];
    this.schedule(PAUSE);
  }

  /** Sends all text now; true when nothing unsent is left. */
  async flush(): Promise<boolean> {
    clearTimeout(this.timer);
    while (this.sending) await this.sending;
    if (!this.sendable()) return !this.pending;
    this.sending = this.sendAll().finally(() => (this.sending = null));
    const done = await this.sending;
    // What was written while the answer was under way.
    if (done && this.sendable()) this.schedule(PAUSE);
    return done && !this.pending;
  }

  /** Settles a refusal: the reader's text goes over the other one, or is dropped. */
  settle(cell: string, keep: 'mine' | 'theirs'): void {
    delete this.refused[cell];
    const draft = this.drafts[cell];
    if (keep === 'theirs') delete this.drafts[cell];
    else if (draft) draft.revision = this.seen(cell);
    this.keep();
    if (this.pending) this.schedule(0);
  }

  /** Sends refused text once more: what stood against it is gone. */
  retryRefused(): void {
    this.refused = {};
    if (this.pending) this.schedule(0);
  }

  dropOrphan(cell: string): void {
    delete this.orphans[cell];
    this.keep();
  }

  /** The revision that the reader has seen of a cell: the document's, or that of the page's own edit. */
  private seen(cell: string): number {
    return Math.max(this.state.revision, this.state.acked[cell] ?? 0);
  }

  private readonly again = (): void => {
    if (this.pending) this.schedule(0);
  };

  private sendable(): boolean {
    return Object.keys(this.drafts).some((cell) => !this.refused[cell]);
  }

  private keep(): void {
    const kept = writeDrafts(localStorage, this.state.id, $state.snapshot({ ...this.orphans, ...this.drafts }));
    if (kept || this.trouble) return;
    this.trouble = {
      message: 'this browser has no room to keep unsent text',
      hint: 'leave this page open until the bar above says that it is saved',
      retryAt: 0,
    };
  }

  private schedule(wait: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.flush(), wait);
  }

  private async sendAll(): Promise<boolean> {
    for (const cell of Object.keys(this.drafts)) {
      const draft = this.drafts[cell];
      if (!draft || this.refused[cell]) continue;
      if (!(await this.send(cell, draft))) return false;
    }
    this.failures = 0;
    this.trouble = null;
    return true;
  }

  /** Sends one draft; false when the server cannot be reached or has no disk left. */
  private async send(cell: string, draft: Draft): Promise<boolean> {
    const { text } = draft;
    try {
      const ack = await this.post(() => ({
        revision: Math.max(draft.revision, this.state.acked[cell] ?? 0),
        ops: [{ op: 'source', cell, source: text }],
      }));
      this.acknowledge(cell, text, ack.revision, ack.saved_at);
      return true;
    } catch (error) {
      if (error instanceof http.ApiError && error.status === 404) {
        this.orphans[cell] = $state.snapshot(draft);
        delete this.drafts[cell];
        this.keep();
        return true;
      }
      if (error instanceof http.ApiError && REFUSALS.includes(error.status)) {
        this.refused[cell] = { message: error.message, hint: error.hint, conflict: error.status === 409 };
        return true;
      }
      const wait = Math.min(LONGEST_WAIT, 1000 * 2 ** this.failures++);
      this.trouble = { ...http.inWords(error), retryAt: Date.now() + wait };
      this.schedule(wait);
      return false;
    }
  }

  private acknowledge(cell: string, text: string, revision: number, savedAt: string): void {
    const view = this.state.cells.find((c) => c.id === cell);
    if (view && revision >= this.state.revision) view.source = text;
    this.state.savedAt = savedAt;
    const draft = this.drafts[cell];
    if (draft?.text === text) delete this.drafts[cell];
    else if (draft) Object.assign(draft, { base: text, revision });
    this.keep();
  }
}
