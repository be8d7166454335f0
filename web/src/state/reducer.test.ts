import { describe, expect, it } from 'vitest';
import { encodeFloats } from '../api/encode.fixture';
import type * as api from '../api/types.gen';
import { emptyNotebook, load, newCell, reduce, type NotebookState } from './reducer';

const figure = (values: number[], state?: string): api.Figure => ({
  kind: 'heatmap',
  title: 'Effect',
  subtitle: '',
  arrays: { v: { shape: [values.length], axes: ['n'], f32: encodeFloats(values), state } },
  provenance: {},
});

const cell = (id: string, more: Partial<api.Cell> = {}): api.Cell => ({
  id,
  kind: 'code',
  source: `${id} = 1`,
  state: 'done',
  validity: 'fresh',
  ...more,
});

const output = (id: string, text: string): api.Output => ({ id, kind: 'text', text });

function opened(): NotebookState {
  const state = emptyNotebook('n');
  load(state, {
    seq: 10,
    saved_at: '2026-11-24T18:00:00Z',
    variables: [],
    jobs: [],
    notebook: {
      id: 'n',
      title: 'N',
      revision: 3,
      can_undo: true,
      can_redo: false,
      cells: [cell('a', { outputs: [output('a1', 'old')] }), cell('b')],
    },
  });
  return state;
}

let seq = 10;
const event = (e: Partial<api.Event> & { op: api.EventOp }): api.Event => ({ seq: ++seq, revision: 3, ...e });
const run = (state: api.CellState, more: Partial<api.CellRun> = {}): api.Event =>
  event({ op: 'cell.state', cell_state: { cell: 'a', job: 'j', state, validity: 'fresh', ...more } });

describe('a run', () => {
  it('keeps the old outputs until the first new one comes', () => {
    const state = opened();
    const a = state.cells[0]!;
    reduce(state, run('queued', { clear_outputs: true }));
    reduce(state, run('running'));
    expect([a.state, a.outdated, a.outputs.map((o) => o.text)]).toEqual(['running', true, ['old']]);
    reduce(state, event({ op: 'cell.output', output: { cell: 'a', output: output('a2', 'new') } }));
    expect([a.outdated, a.outputs.map((o) => o.text)]).toEqual([false, ['new']]);
    reduce(state, event({ op: 'cell.output', output: { cell: 'a', output: output('a2', 'newer') } }));
    reduce(state, event({ op: 'cell.output', output: { cell: 'a', output: output('a3', 'more') } }));
    expect(a.outputs.map((o) => o.text)).toEqual(['newer', 'more']);
    reduce(state, run('done', { millis: 40, ran_at: '2026-11-24T18:01:00Z' }));
    expect([a.state, a.millis, a.progress]).toEqual(['done', 40, null]);
  });

  it('says what came from the result cache, until a run computes it', () => {
    const state = opened();
    const a = state.cells[0]!;
    const recalled = { results: 1, millis: 4200, made_at: '2026-11-24T17:00:00Z' };
    reduce(state, run('done', { millis: 4, ran_at: '2026-11-24T18:01:00Z', recalled }));
    expect(a.recalled).toEqual(recalled);
    reduce(state, run('running', { clear_outputs: true }));
    reduce(state, run('canceled'));
    expect(a.recalled).toEqual(recalled);
    reduce(state, run('done', { millis: 4200, ran_at: '2026-11-24T18:02:00Z' }));
    expect(a.recalled).toBeNull();
    load(state, {
      seq: ++seq,
      saved_at: '',
      variables: [],
      jobs: [],
      notebook: { id: 'n', title: 'N', revision: 3, can_undo: false, can_redo: false, cells: [cell('a', { recalled })] },
    });
    expect(state.cells[0]!.recalled).toEqual(recalled);
  });

  it('that leaves nothing clears what was there when it ends', () => {
    const state = opened();
    reduce(state, run('running', { clear_outputs: true }));
    reduce(state, run('done'));
    expect(state.cells[0]!.outputs).toEqual([]);
  });

  it('fills a figure with parts', () => {
    const state = opened();
    reduce(state, run('running', { clear_outputs: true }));
    const pending = figure([0, 0], btoa('\0\0'));
    reduce(state, event({ op: 'cell.output', output: { cell: 'a', output: { id: 'f', kind: 'figure', figure: pending } } }));
    const part = { arrays: [{ name: 'v', offset: 1, f32: encodeFloats([5]) }] };
    reduce(state, event({ op: 'figure.part', part: { cell: 'a', output: 'f', part } }));
    const live = state.cells[0]!.outputs[0]!.figure!;
    expect([[...live.numbers('v').data], [...live.numbers('v').state!]]).toEqual([[0, 5], [0, 1]]);
  });

  it('shows progress only while it runs', () => {
    const state = opened();
    const progress = { job: 'j', label: 'lens', done: 1, total: 4, unit: 'layers', eta_millis: -1 };
    reduce(state, event({ op: 'job.progress', progress: { cell: 'a', progress } }));
    expect(state.cells[0]!.progress).toBeNull();
    reduce(state, run('running'));
    reduce(state, event({ op: 'job.progress', progress: { cell: 'a', progress } }));
    expect(state.cells[0]!.progress?.done).toBe(1);
    reduce(state, run('canceled'));
    expect(state.cells[0]!.progress).toBeNull();
  });

  it('marks the cells that it made stale', () => {
    const state = opened();
    reduce(state, run('done', { stale_cells: ['b', 'gone'] }));
    expect(state.cells.map((c) => c.validity)).toEqual(['fresh', 'stale']);
  });
});

describe('a document', () => {
  const document = (revision: number, cells: api.Cell[]): api.Event =>
    event({ op: 'document', revision, document: { id: 'n', title: 'T', revision, cells, can_undo: true, can_redo: true } });

  it('keeps outputs, order and the cells themselves', () => {
    const state = opened();
    const a = state.cells[0];
    reduce(state, document(4, [cell('c', { kind: 'markdown', html: '<p>x</p>' }), cell('a', { source: 'a = 2', validity: 'stale' })]));
    expect(state.cells.map((c) => c.id)).toEqual(['c', 'a']);
    expect(state.cells[1]).toBe(a);
    expect([a!.source, a!.validity, a!.outputs.map((o) => o.text)]).toEqual(['a = 2', 'stale', ['old']]);
    expect([state.revision, state.title, state.canRedo]).toEqual([4, 'T', true]);
  });

  it('older than an acknowledged edit does not bring the old text back', () => {
    const state = opened();
    Object.assign(state.cells[0]!, { source: 'a = 3' });
    state.acked['a'] = 6;
    reduce(state, document(5, [cell('a', { source: 'a = 2' }), cell('b', { source: 'b = 2' })]));
    expect(state.cells.map((c) => c.source)).toEqual(['a = 3', 'b = 2']);
    reduce(state, document(6, [cell('a', { source: 'a = 3' }), cell('b', { source: 'b = 2' })]));
    expect(state.cells.map((c) => c.source)).toEqual(['a = 3', 'b = 2']);
  });

  it('of a revision before the one that is shown changes nothing', () => {
    const state = opened();
    reduce(state, document(5, [cell('a')]));
    reduce(state, document(4, [cell('a'), cell('b'), cell('c')]));
    expect([state.revision, state.cells.map((c) => c.id)]).toEqual([5, ['a']]);
  });

  it('that does not know a new cell yet leaves it where it is', () => {
    const state = opened();
    const made = newCell('new', 'code', '');
    state.inserting.push({ index: 1, cell: made });
    state.cells.splice(1, 0, made);
    reduce(state, document(4, [cell('a'), cell('b')]));
    expect(state.cells.map((c) => c.id)).toEqual(['a', 'new', 'b']);
    reduce(state, document(5, [cell('a'), cell('b'), cell('new')]));
    expect([state.cells.map((c) => c.id), state.inserting]).toEqual([['a', 'b', 'new'], []]);
  });
});

describe('the stream', () => {
  it('applies an event once', () => {
    const state = opened();
    const twice = event({ op: 'cell.output', output: { cell: 'a', output: output('a9', 'x') } });
    reduce(state, twice);
    reduce(state, twice);
    expect(state.cells[0]!.outputs.map((o) => o.id)).toEqual(['a1', 'a9']);
    expect(state.seq).toBe(twice.seq);
  });

  it('is replaced by a snapshot, even one with a lower number', () => {
    const state = opened();
    const snapshot: api.Snapshot = {
      seq: 2,
      saved_at: '',
      variables: [{ name: 'm', cell: 'z', value: { type: 'model', repr: '' } }],
      jobs: [],
      notebook: { id: 'n', title: 'New', revision: 1, cells: [cell('z')], can_undo: false, can_redo: false },
    };
    reduce(state, { op: 'snapshot', seq: 2, revision: 1, snapshot });
    expect([state.title, state.seq, state.cells.map((c) => c.id), state.variables.length]).toEqual(['New', 2, ['z'], 1]);
  });

  it('does not care for cells that it does not know', () => {
    const state = opened();
    const part = { cell: 'gone', output: 'o', part: {} };
    for (const e of [event({ op: 'figure.part', part }), event({ op: 'cell.output', output: { cell: 'gone', output: output('o', '') } })]) {
      expect(() => reduce(state, e)).not.toThrow();
    }
  });

  it('carries variables, saves and conflicts', () => {
    const state = opened();
    reduce(state, event({ op: 'variables', variables: [{ name: 'x', cell: 'a', value: { type: 'int', repr: '1' } }] }));
    reduce(state, event({ op: 'notebook.saved', saved: { revision: 4, at: '2026-11-24T19:00:00Z' } }));
    reduce(state, event({ op: 'notebook.conflict', conflict: { path: 'n.md', message: 'm', disk_title: 't', disk_cells: 2 } }));
    expect([state.variables[0]!.name, state.savedRevision, state.conflict?.disk_cells]).toEqual(['x', 4, 2]);
    reduce(state, event({ op: 'variables' }));
    reduce(state, event({ op: 'notebook.conflict' }));
    expect([state.variables, state.conflict]).toEqual([[], null]);
  });
});
