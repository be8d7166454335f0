// How events change what the page knows. Pure apart from mutating the state
// it is given: no network, no clock, no DOM.
import type * as api from '../api/types.gen';
import { LiveFigure } from '../figures/live';

/** One thing that a run left, with its figure decoded. */
export interface OutputView extends Omit<api.Output, 'figure'> {
  figure?: LiveFigure;
}

export interface CellView {
  id: string;
  kind: api.CellKind;
  source: string;
  html: string;
  state: api.CellState;
  validity: api.Validity;
  millis: number;
  ranAt: string;
  /** What of the last run came from the result cache; null when all was computed. */
  recalled: api.Recalled | null;
  defines: string[];
  uses: string[];
  outputs: OutputView[];
  progress: api.Progress | null;
  /** True while the outputs are those of the run before: the first new one replaces them all. */
  outdated: boolean;
}

export interface NotebookState {
  id: string;
  title: string;
  /** The document's that the page has seen. */
  revision: number;
  /** By cell the revision of the page's own last edit of its text, which may be ahead of what it has seen. */
  acked: Record<string, number>;
  /** Cells that the page shows already though the server has not said so yet. */
  inserting: { index: number; cell: CellView }[];
  /** That of the last event that is contained. */
  seq: number;
  cells: CellView[];
  variables: api.Variable[];
  savedAt: string;
  savedRevision: number;
  conflict: api.Conflict | null;
  canUndo: boolean;
  canRedo: boolean;
  /** False until the first snapshot. */
  loaded: boolean;
}

export function emptyNotebook(id: string): NotebookState {
  return {
    id,
    title: '',
    revision: 0,
    acked: {},
    inserting: [],
    seq: 0,
    cells: [],
    variables: [],
    savedAt: '',
    savedRevision: 0,
    conflict: null,
    canUndo: false,
    canRedo: false,
    loaded: false,
  };
}

const running = (state: api.CellState) => state === 'queued' || state === 'running';

function outputView(output: api.Output, earlier: OutputView | undefined, now: number): OutputView {
  const { figure, ...rest } = output;
  return figure ? { ...rest, figure: new LiveFigure(figure, earlier?.figure, now) } : rest;
}

function cellView(cell: api.Cell, earlier: CellView | undefined, now: number): CellView {
  return {
    id: cell.id,
    kind: cell.kind,
    source: cell.source,
    html: cell.html ?? '',
    state: cell.state,
    validity: cell.validity,
    millis: cell.millis ?? 0,
    ranAt: cell.ran_at ?? '',
    recalled: cell.recalled ?? null,
    defines: cell.defines ?? [],
    uses: cell.uses ?? [],
    outputs: (cell.outputs ?? []).map((o) => outputView(o, earlier?.outputs.find((e) => e.id === o.id), now)),
    progress: cell.progress ?? null,
    outdated: false,
  };
}

/** An id for a new cell. */
export const newID = (): string => crypto.randomUUID().replaceAll('-', '').slice(0, 8);

/** A new cell as it is before the server knows it. */
export function newCell(id: string, kind: api.CellKind, source: string): CellView {
  return cellView({ id, kind, source, state: 'idle', validity: 'fresh' }, undefined, 0);
}

/** Replaces everything by a snapshot. */
export function load(state: NotebookState, snapshot: api.Snapshot, now = 0): void {
  const { notebook } = snapshot;
  const earlier = new Map(state.cells.map((c) => [c.id, c]));
  state.seq = snapshot.seq;
  state.title = notebook.title;
  state.revision = notebook.revision;
  state.acked = {};
  state.inserting = [];
  state.cells = (notebook.cells ?? []).map((c) => cellView(c, earlier.get(c.id), now));
  for (const job of snapshot.jobs ?? []) {
    const cell = state.cells.find((c) => c.id === job.cell);
    if (cell && running(job.state)) cell.progress ??= job.progress ?? null;
  }
  state.variables = snapshot.variables ?? [];
  state.savedAt = snapshot.saved_at;
  state.savedRevision = notebook.revision;
  state.conflict = snapshot.conflict ?? null;
  state.canUndo = notebook.can_undo;
  state.canRedo = notebook.can_redo;
  state.loaded = true;
}

/** Applies one event. A part that does not fit its figure throws RangeError. */
export function reduce(state: NotebookState, event: api.Event, now = 0): void {
  if (event.op === 'snapshot') {
    if (event.snapshot) load(state, event.snapshot, now);
    return;
  }
  if (event.seq <= state.seq) return;
  state.seq = event.seq;
  if (event.document) applyDocument(state, event.document, now);
  if (event.cell_state) applyRun(state, event.cell_state);
  if (event.output) applyOutput(state, event.output, now);
  if (event.part) applyPart(state, event.part, now);
  if (event.progress) {
    const cell = find(state, event.progress.cell);
    if (cell && running(cell.state)) cell.progress = event.progress.progress;
  }
  if (event.op === 'variables') state.variables = event.variables ?? [];
  if (event.saved) {
    state.savedAt = event.saved.at;
    state.savedRevision = event.saved.revision;
  }
  if (event.op === 'notebook.conflict') state.conflict = event.conflict ?? null;
}

function find(state: NotebookState, id: string): CellView | undefined {
  return state.cells.find((c) => c.id === id);
}

/** A document carries no outputs: the cells that stay keep theirs. */
function applyDocument(state: NotebookState, document: api.Notebook, now: number): void {
  if (document.revision < state.revision) return;
  const earlier = new Map(state.cells.map((c) => [c.id, c]));
  state.title = document.title;
  state.revision = document.revision;
  state.canUndo = document.can_undo;
  state.canRedo = document.can_redo;
  state.cells = document.cells.map((c) => {
    const before = earlier.get(c.id);
    const next = cellView(c, before, now);
    if (!before) return next;
    const keep = c.outputs === undefined || c.outputs.length === 0;
    return Object.assign(before, next, {
      source: (state.acked[c.id] ?? 0) > document.revision ? before.source : next.source,
      outputs: keep ? before.outputs : next.outputs,
      progress: running(next.state) ? (next.progress ?? before.progress) : null,
      millis: next.millis || before.millis,
      ranAt: next.ranAt || before.ranAt,
      outdated: before.outdated,
    });
  });
  state.inserting = state.inserting.filter(({ cell }) => !state.cells.some((c) => c.id === cell.id));
  for (const { index, cell } of state.inserting) state.cells.splice(index, 0, cell);
}

function applyRun(state: NotebookState, run: api.CellRun): void {
  const cell = find(state, run.cell);
  for (const id of run.stale_cells ?? []) {
    const other = find(state, id);
    if (other) other.validity = 'stale';
  }
  if (!cell) return;
  cell.state = run.state;
  cell.validity = run.validity;
  if (run.clear_outputs) cell.outdated = true;
  if (running(run.state)) return;
  cell.progress = null;
  cell.millis = run.millis ?? cell.millis;
  if (run.ran_at) cell.recalled = run.recalled ?? null; // else the old outputs stay, and what is said of them
  cell.ranAt = run.ran_at ?? cell.ranAt;
  if (cell.outdated) cell.outputs = [];
  cell.outdated = false;
}

function applyOutput(state: NotebookState, { cell: id, output }: api.CellOutput, now: number): void {
  const cell = find(state, id);
  if (!cell) return;
  if (cell.outdated) {
    cell.outputs = [];
    cell.outdated = false;
  }
  const at = cell.outputs.findIndex((o) => o.id === output.id);
  const view = outputView(output, cell.outputs[at], now);
  if (at >= 0) cell.outputs[at] = view;
  else cell.outputs.push(view);
}

function applyPart(state: NotebookState, { cell, output, part }: api.FigurePart, now: number): void {
  find(state, cell)?.outputs.find((o) => o.id === output)?.figure?.apply(part, now);
}
