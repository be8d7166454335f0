// What the reader does with a notebook: which cell is selected, whether it is
// being edited, what is open over the page, and what each command means.
import * as http from '../api/http';
import type * as api from '../api/types.gen';
import type { CommandId } from '../keys/commands';
import { Session } from './session.svelte';
import type { ThemeSwitch } from './theme.svelte';

export type Overlay = 'palette' | 'keys' | 'export' | null;

export class NotebookPage {
  readonly session: Session;
  workspace = $state.raw<api.Workspace | null>(null);
  selected = $state('');
  editing = $state(false);
  overlay = $state<Overlay>(null);
  /** The end of the last command. */
  private last: Promise<void> = Promise.resolve();
  private clipboard: { kind: api.CellKind; source: string } | null = null;

  constructor(
    id: string,
    readonly theme: ThemeSwitch,
    private readonly goHome: () => void,
  ) {
    this.session = new Session(id);
    void http.workspace().then(
      (w) => (this.workspace = w),
      () => undefined,
    );
  }

  close(): void {
    this.session.close();
  }

  get cells() {
    return this.session.state.cells;
  }

  /** The place of the selected cell; the first one when none is. */
  get index(): number {
    return Math.max(0, this.cells.findIndex((c) => c.id === this.selected));
  }

  /** Selects a cell by its place and brings it into view. */
  selectAt(index: number, editing = false): void {
    const cell = this.cells[Math.min(this.cells.length - 1, Math.max(0, index))];
    if (cell) this.select(cell.id, editing);
  }

  select(id: string, editing = false): void {
    this.selected = id;
    this.editing = editing;
  }

  /** Inserts a cell and selects it at once; the promise says whether the server took it. */
  insert(index: number, kind: api.CellKind, source = '', editing = true): Promise<boolean> {
    const { id, done } = this.session.insert(Math.min(index, this.cells.length), kind, source);
    this.select(id, editing);
    return done;
  }

  /** The model that the notebook is about: the one of its latest figure, else the first that a cell loads. */
  get model(): api.ModelInfo | undefined {
    const known = (name: string | undefined) => this.workspace?.models.find((m) => m.name === name);
    for (const cell of this.cells.toReversed()) {
      for (const output of cell.outputs) {
        const found = known(output.figure?.figure.provenance.model);
        if (found) return found;
      }
    }
    for (const cell of this.cells) {
      const found = known(/\bload\(\s*["']([^"']+)["']/.exec(cell.source)?.[1]);
      if (found) return found;
    }
    return undefined;
  }

  /** Carries out a command when the ones before have been carried out; an interruption does not wait. */
  do(command: CommandId): Promise<void> {
    if (command === 'interrupt') return this.carryOut(command);
    this.last = this.last.catch(() => undefined).then(() => this.carryOut(command));
    return this.last;
  }

  private async carryOut(command: CommandId): Promise<void> {
    const { index, session } = this;
    const cell = this.cells[index];
    switch (command) {
      case 'run':
        if (cell) void this.runCell(cell.id, cell.kind);
        return;
      case 'run-next':
        return this.runNext();
      case 'run-insert':
        if (cell) void this.runCell(cell.id, cell.kind);
        void this.insert(index + 1, 'code');
        return;
      case 'run-stale':
        void session.runStale();
        return;
      case 'run-all':
        void session.runAll();
        return;
      case 'interrupt':
        await session.interrupt();
        return;
      case 'insert-above':
        void this.insert(index, 'code', '', false);
        return;
      case 'insert-below':
        void this.insert(this.cells.length === 0 ? 0 : index + 1, 'code', '', this.cells.length === 0);
        return;
      case 'delete':
        return this.remove();
      case 'cut':
        this.copy();
        return this.remove();
      case 'copy':
        return this.copy();
      case 'paste':
        if (this.clipboard) void this.insert(index + 1, this.clipboard.kind, this.clipboard.source, false);
        return;
      case 'undo':
      case 'redo':
        await session.apply([{ op: command }]);
        return;
      case 'to-code':
      case 'to-markdown':
        if (cell) await session.apply([{ op: 'set_kind', cell: cell.id, kind: command === 'to-code' ? 'code' : 'markdown' }]);
        return;
      case 'move-up':
        if (cell && index > 0) await session.apply([{ op: 'move', cell: cell.id, index: index - 1 }]);
        return;
      case 'move-down':
        if (cell && index < this.cells.length - 1) await session.apply([{ op: 'move', cell: cell.id, index: index + 1 }]);
        return;
      case 'edit':
        if (cell) this.select(cell.id, true);
        return;
      case 'leave':
        this.editing = false;
        return;
      case 'next':
        return this.selectAt(index + (this.selected ? 1 : 0));
      case 'previous':
        return this.selectAt(index - 1);
      case 'save':
        return session.save();
      case 'palette':
      case 'keys':
      case 'export':
        this.overlay = this.overlay === command ? null : command;
        return;
      case 'theme':
        return this.theme.cycle();
      case 'home':
        return this.goHome();
    }
  }

  private async runCell(id: string, kind: api.CellKind): Promise<void> {
    if (kind === 'code') await this.session.run([id]);
    else await this.session.save();
  }

  private runNext(): void {
    const { index } = this;
    const cell = this.cells[index];
    if (!cell) return;
    this.editing = false;
    void this.runCell(cell.id, cell.kind);
    if (index === this.cells.length - 1) void this.insert(index + 1, 'code');
    else this.selectAt(index + 1);
  }

  private copy(): void {
    const cell = this.cells[this.index];
    if (cell) this.clipboard = { kind: cell.kind, source: this.session.saving.textOf(cell.id, cell.source) };
  }

  private async remove(): Promise<void> {
    const { index } = this;
    const cell = this.cells[index];
    if (!cell) return;
    const next = this.cells[index + 1] ?? this.cells[index - 1];
    if (await this.session.apply([{ op: 'delete', cell: cell.id }])) this.select(next?.id ?? '');
  }
}
