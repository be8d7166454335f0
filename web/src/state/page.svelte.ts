// What the reader does with a notebook: which cell is selected, whether it is
// being edited, what is open over the page, and what each command means.
import * as http from '../api/http';
import type * as api from '../api/types.gen';
import type { CommandId } from '../keys/commands';
import { Columns } from './columns.svelte';
import { Desk } from './desk.svelte';
import { readForms, writeForms } from './forms';
import { callFor } from './insert';
import { knownNames, type Known } from './known';
import { chooseFile, promptCell } from './prompt-file';
import { newID, type CellView } from './reducer';
import { headed, joined, splitAt } from './reshape';
import { Session } from './session.svelte';
import type { ThemeSwitch } from './theme.svelte';

export type Overlay = 'palette' | 'add' | 'keys' | 'export' | null;

export class NotebookPage {
  readonly session: Session;
  /** Causal work: what is lifted, and what opening and dropping do. */
  readonly desk: Desk;
  /** How wide the page is, for figures that break out of its column. */
  readonly columns = new Columns();
  workspace = $state.raw<api.Workspace | null>(null);
  selected = $state('');
  editing = $state(false);
  overlay = $state<Overlay>(null);
  /** What the notebook's names hold. */
  readonly names: Known[] = $derived.by(() => knownNames(this.cells, this.session.state.variables));
  /** The cells that are shown as forms. */
  forms = $state<Record<string, boolean>>({});
  /** Where the cursor stands in the cell that is being edited; null while no editor is open. */
  caret: (() => number) | null = null;
  /** The cell whose form takes the focus when it shows. */
  private focused = '';
  /** The end of the last command. */
  private last: Promise<void> = Promise.resolve();
  private clipboard: { kind: api.CellKind; source: string } | null = null;

  constructor(
    id: string,
    readonly theme: ThemeSwitch,
    private readonly goHome: () => void,
  ) {
    this.session = new Session(id);
    this.forms = readForms(localStorage, id);
    this.desk = new Desk(this);
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

  /** Puts a call of an analysis, as a form, into the selected cell where that is empty, else into a new one below. */
  add(info: api.AnalysisInfo): void {
    const source = callFor(info, this.names);
    const cell = this.cells[this.index];
    const { saving } = this.session;
    let id = cell?.id ?? '';
    if (cell?.kind === 'code' && saving.textOf(cell.id, cell.source).trim() === '') saving.write(cell.id, source);
    else id = this.session.insert(cell ? this.index + 1 : 0, 'code', source).id;
    this.select(id);
    if (!this.forms[id]) this.switchForm(id, true);
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
      case 'run-anew':
        if (cell?.kind === 'code') void session.runAnew([cell.id]);
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
      case 'run-all-anew':
        void session.runAnew();
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
      case 'insert-prompts':
        void this.insertPrompts();
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
      case 'heading-1':
      case 'heading-2':
      case 'heading-3':
        if (cell) await this.rewrite(cell.id, headed(this.text(cell), Number(command.at(-1))), 'markdown');
        return;
      case 'split':
        return this.split();
      case 'merge':
        return this.merge();
      case 'move-up':
        if (cell && index > 0) await session.apply([{ op: 'move', cell: cell.id, index: index - 1 }]);
        return;
      case 'move-down':
        if (cell && index < this.cells.length - 1) await session.apply([{ op: 'move', cell: cell.id, index: index + 1 }]);
        return;
      case 'form':
        if (cell?.kind === 'code') this.switchForm(cell.id, true);
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
      case 'add':
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

  /** Shows a cell as a form, which takes the focus if it should, or as its source again; the text is the same. */
  switchForm(id: string, focus = false): void {
    this.editing = false;
    if (this.forms[id]) delete this.forms[id];
    else this.forms[id] = true;
    if (focus && this.forms[id]) this.focused = id;
    writeForms(localStorage, this.session.state.id, this.forms, this.cells.map((c) => c.id));
  }

  /** Whether a form that shows takes the focus, which it does once. */
  claimForm(id: string): boolean {
    const mine = this.focused === id;
    if (mine) this.focused = '';
    return mine;
  }

  /** Puts the text of a file that the reader chooses into a new cell. */
  private async insertPrompts(): Promise<void> {
    const file = await chooseFile('.csv,.jsonl,.json,.txt');
    if (!file) return;
    const made = promptCell(await file.text(), file.name, this.session.state.variables.map((v) => v.name));
    if ('problem' in made) this.session.notice = { message: made.problem, hint: 'take a part of it' };
    else void this.insert(this.cells.length === 0 ? 0 : this.index + 1, 'code', made.source, false);
  }

  private text(cell: CellView): string {
    return this.session.saving.textOf(cell.id, cell.source);
  }

  private copy(): void {
    const cell = this.cells[this.index];
    if (cell) this.clipboard = { kind: cell.kind, source: this.text(cell) };
  }

  /** Changes the text and the kind of a cell in one step. */
  private async rewrite(cell: string, source: string, kind: api.CellKind): Promise<void> {
    await this.session.apply([
      { op: 'set_kind', cell, kind },
      { op: 'source', cell, source },
    ]);
  }

  /** Puts what stands behind the cursor into a cell of its own, in one step. */
  private async split(): Promise<void> {
    const { index } = this;
    const cell = this.cells[index];
    const caret = this.caret?.();
    if (!cell || caret === undefined) return;
    const [source, rest] = splitAt(this.text(cell), caret);
    const below = newID();
    this.editing = false;
    const done = await this.session.apply([
      { op: 'source', cell: cell.id, source },
      { op: 'insert', cell: below, index: index + 1, kind: cell.kind, source: rest },
    ]);
    if (done) this.select(below, true);
  }

  /** Adds the text of the cell below to this one and takes that away, in one step. */
  private async merge(): Promise<void> {
    const { index } = this;
    const [cell, below] = [this.cells[index], this.cells[index + 1]];
    if (!cell || !below) return;
    await this.session.apply([
      { op: 'source', cell: cell.id, source: joined(this.text(cell), this.text(below), cell.kind) },
      { op: 'delete', cell: below.id },
    ]);
  }

  private async remove(): Promise<void> {
    const { index } = this;
    const cell = this.cells[index];
    if (!cell) return;
    const next = this.cells[index + 1] ?? this.cells[index - 1];
    if (await this.session.apply([{ op: 'delete', cell: cell.id }])) this.select(next?.id ?? '');
  }
}
