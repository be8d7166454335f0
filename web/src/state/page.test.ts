// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type * as api from '../api/types.gen';
import { NotebookPage } from './page.svelte';
import type { ThemeSwitch } from './theme.svelte';

// A server that notes what it is asked and agrees to all of it; it tells the
// page by events, as the real one does, what has become of the cells.
let sent: api.Op[][];
let ran: api.RunRequest[];
let refuse: boolean;
let socket: { onmessage?: (m: { data: string }) => void } | null;
let seq: number;

class Socket {
  static readonly CONNECTING = 0;
  readyState = 1;
  onmessage?: (m: { data: string }) => void;
  constructor() {
    socket = this;
  }
  close(): void {}
}

const answer = (status: number, body: unknown) => new Response(JSON.stringify(body), { status });
const FIRST: [string, api.CellKind, string][] = [
  ['a', 'code', 'a = 1\nb = 2'],
  ['b', 'markdown', 'Words.'],
  ['c', 'code', 'c = 3'],
];
const notebook = (cells: [string, api.CellKind, string][], revision: number) =>
  ({ id: 'n', title: 'N', revision, can_undo: true, can_redo: true, cells: cells.map(([id, kind, source]) => ({ id, kind, source, state: 'idle', validity: 'fresh' })) }) as api.Notebook;

/** The server says what the document is now. */
function tell(cells: [string, api.CellKind, string][]): void {
  socket!.onmessage!({ data: JSON.stringify({ op: 'document', seq: ++seq, revision: seq, document: notebook(cells, seq) }) });
}

beforeEach(() => {
  localStorage.clear();
  [sent, ran, refuse, socket, seq] = [[], [], false, null, 3];
  vi.stubGlobal('WebSocket', Socket);
  vi.stubGlobal('requestAnimationFrame', (f: () => void) => setTimeout(f));
  vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
    const body: unknown = init.body ? JSON.parse(String(init.body)) : null;
    if (path.endsWith('/edit')) {
      if (refuse) return answer(507, { code: 'storage', message: 'no space left' });
      sent.push((body as api.EditRequest).ops);
      return answer(200, { revision: ++seq, seq, saved_at: '2026-11-24T18:41:07Z', cells: [] });
    }
    if (path.endsWith('/run')) {
      ran.push(body as api.RunRequest);
      return answer(200, { jobs: [] });
    }
    if (path.endsWith('/workspace')) return answer(200, { models: [], analyses: [] });
    return answer(200, { seq, notebook: notebook(FIRST, seq), variables: [], jobs: [], saved_at: '' });
  });
});

let page: NotebookPage;
afterEach(() => {
  page.close();
  vi.unstubAllGlobals();
});

async function opened(selected: string): Promise<NotebookPage> {
  page = new NotebookPage('n', {} as ThemeSwitch, () => undefined);
  await vi.waitFor(() => expect(page.session.state.loaded && socket).toBeTruthy());
  page.select(selected);
  return page;
}

const ids = () => page.cells.map((c) => c.id);
const last = () => sent.at(-1);

it('undoes and redoes, each as what it is', async () => {
  await opened('a');
  await page.do('undo');
  expect(last()).toEqual([{ op: 'undo' }]);
  await page.do('redo');
  expect(last()).toEqual([{ op: 'redo' }]);
});

describe('the clipboard', () => {
  it('holds a cell that was cut, which is gone and pasted below the selected one', async () => {
    await opened('b');
    await page.do('cut');
    expect(last()).toEqual([{ op: 'delete', cell: 'b' }]);
    expect(page.selected).toBe('c');
    tell([FIRST[0]!, FIRST[2]!]);
    await vi.waitFor(() => expect(ids()).toEqual(['a', 'c']));
    await page.do('paste');
    await vi.waitFor(() => expect(last()).toEqual([{ op: 'insert', index: 2, kind: 'markdown', source: 'Words.', cell: page.selected }]));
    expect([ids(), page.editing]).toEqual([['a', 'c', page.selected], false]);
  });

  it('holds a copy with the text as the reader sees it, and leaves the cell where it is', async () => {
    await opened('c');
    page.session.saving.write('c', 'c = 4');
    await page.do('copy');
    expect(sent.flat().filter((op) => op.op === 'delete')).toEqual([]);
    page.select('a');
    await page.do('paste');
    expect(page.cells.map((c) => c.source).slice(0, 2)).toEqual(['a = 1\nb = 2', 'c = 4']);
    expect(page.index).toBe(1);
  });

  it('pastes nothing while it is empty', async () => {
    await opened('a');
    await page.do('paste');
    expect([ids(), sent]).toEqual([['a', 'b', 'c'], []]);
  });
});

describe('deleting', () => {
  it('selects the cell behind, and the one before where there is none', async () => {
    await opened('c');
    await page.do('delete');
    expect([last(), page.selected]).toEqual([[{ op: 'delete', cell: 'c' }], 'b']);
  });

  it('keeps the selection where the server refuses', async () => {
    await opened('a');
    refuse = true;
    await page.do('delete');
    expect([page.selected, page.session.notice?.message]).toEqual(['a', 'no space left']);
  });
});

describe('splitting and merging', () => {
  it('splits at the cursor in one step and goes on in the new cell', async () => {
    await opened('a');
    page.editing = true;
    page.caret = () => 5;
    await page.do('split');
    expect(last()).toEqual([
      { op: 'source', cell: 'a', source: 'a = 1' },
      { op: 'insert', cell: page.selected, index: 1, kind: 'code', source: 'b = 2' },
    ]);
    expect([page.selected === 'a', page.editing]).toEqual([false, true]);
  });

  it('splits nothing without a cursor', async () => {
    await opened('a');
    await page.do('split');
    expect(sent).toEqual([]);
  });

  it('merges with the cell below, by the upper one\'s kind, and the last with none', async () => {
    await opened('a');
    await page.do('merge');
    expect(last()).toEqual([{ op: 'source', cell: 'a', source: 'a = 1\nb = 2\nWords.' }, { op: 'delete', cell: 'b' }]);
    page.select('b');
    await page.do('merge');
    expect(last()).toEqual([{ op: 'source', cell: 'b', source: 'Words.\n\nc = 3' }, { op: 'delete', cell: 'c' }]);
    const count = sent.length;
    page.select('c');
    await page.do('merge');
    expect(sent).toHaveLength(count);
  });
});

describe('moving and changing', () => {
  it.each<[string, 'move-up' | 'move-down', number | null]>([
    ['a', 'move-up', null],
    ['b', 'move-up', 0],
    ['b', 'move-down', 2],
    ['c', 'move-down', null],
  ])('%s by %s goes to %s', async (cell, command, index) => {
    await opened(cell);
    await page.do(command);
    expect(sent).toEqual(index === null ? [] : [[{ op: 'move', cell, index }]]);
  });

  it('makes a cell code, Markdown or a heading', async () => {
    await opened('b');
    await page.do('to-code');
    expect(last()).toEqual([{ op: 'set_kind', cell: 'b', kind: 'code' }]);
    await page.do('to-markdown');
    expect(last()).toEqual([{ op: 'set_kind', cell: 'b', kind: 'markdown' }]);
    await page.do('heading-2');
    expect(last()).toEqual([{ op: 'set_kind', cell: 'b', kind: 'markdown' }, { op: 'source', cell: 'b', source: '## Words.' }]);
  });

  it('inserts above without moving the others\' order, and below', async () => {
    await opened('b');
    await page.do('insert-above');
    expect(ids()).toEqual(['a', page.selected, 'b', 'c']);
    page.select('c');
    await page.do('insert-below');
    expect(ids().slice(3)).toEqual(['c', page.selected]);
    expect(page.editing).toBe(false);
  });
});

describe('running', () => {
  it('runs the selected cell alone, anew on request, all, and the stale ones', async () => {
    await opened('c');
    for (const command of ['run', 'run-anew', 'run-all', 'run-all-anew', 'run-stale'] as const) {
      await page.do(command);
      await vi.waitFor(() => expect(ran).toHaveLength(1));
      expect(ran.pop()).toEqual({ run: { cells: ['c'] }, 'run-anew': { cells: ['c'], fresh: true }, 'run-all': { all: true }, 'run-all-anew': { all: true, fresh: true }, 'run-stale': { stale: true } }[command]);
    }
  });

  it('goes to the next cell, and from the last to a new one', async () => {
    await opened('b');
    await page.do('run-next');
    expect([page.selected, ran]).toEqual(['c', []]); // words are saved, not run
    await page.do('run-next');
    await vi.waitFor(() => expect(ran).toEqual([{ cells: ['c'] }]));
    expect([ids().length, page.index, page.editing]).toEqual([4, 3, true]);
  });
});

it('walks the cells and stays at the ends; the first step selects the first cell', async () => {
  await opened('');
  const walk = async (command: 'next' | 'previous') => {
    await page.do(command);
    return page.selected;
  };
  expect([await walk('next'), await walk('next'), await walk('next'), await walk('next'), await walk('previous')]).toEqual(['a', 'b', 'c', 'c', 'b']);
});

it('carries out one command after the other, and interrupts at once', async () => {
  await opened('a');
  const order: string[] = [];
  const slow = vi.spyOn(page.session, 'apply').mockImplementation(async (ops) => {
    // The first takes longer: it would end last if the second did not wait.
    await new Promise((resolve) => setTimeout(resolve, ops[0]!.op === 'undo' ? 40 : 1));
    order.push(ops[0]!.op);
    return true;
  });
  vi.spyOn(page.session, 'interrupt').mockImplementation(async () => void order.push('interrupt'));
  const undo = page.do('undo');
  const redo = page.do('redo');
  await page.do('interrupt');
  await Promise.all([undo, redo]);
  expect(order).toEqual(['interrupt', 'undo', 'redo']);
  // One that fails does not stop the next.
  slow.mockRejectedValueOnce(new Error('gone'));
  await page.do('undo').catch(() => undefined);
  await page.do('redo');
  expect(order).toEqual(['interrupt', 'undo', 'redo', 'redo']);
  vi.restoreAllMocks();
});

it('shows a cell as a form and back, gives it the focus once, and remembers it', async () => {
  await opened('a');
  await page.do('form');
  expect([page.forms, page.claimForm('a'), page.claimForm('a')]).toEqual([{ a: true }, true, false]);
  page.close();
  page = new NotebookPage('n', {} as ThemeSwitch, () => undefined);
  expect(page.forms).toEqual({ a: true });
  await vi.waitFor(() => expect(page.session.state.loaded).toBe(true));
  page.select('a');
  await page.do('form');
  expect(page.forms).toEqual({});
  page.select('b');
  await page.do('form'); // words have no form
  expect(page.forms).toEqual({});
});

it('is about the model of its latest figure, else the first that a cell loads', async () => {
  await opened('a');
  const model = (name: string) => ({ name }) as api.ModelInfo;
  page.workspace = { models: [model('first'), model('second'), model('third')], analyses: [] } as unknown as api.Workspace;
  expect(page.model).toBeUndefined();
  page.cells[0]!.source = 'm = load("second")\nn = load("first")';
  expect(page.model?.name).toBe('second');
  const figure = (of: string) => [{ id: 'o', kind: 'figure' as const, figure: { figure: { provenance: { model: of } } } as never }];
  page.cells[0]!.outputs = figure('first');
  page.cells[2]!.outputs = figure('third');
  expect(page.model?.name).toBe('third');
});

it('opens and closes what lies over the page', async () => {
  await opened('a');
  await page.do('palette');
  expect(page.overlay).toBe('palette');
  await page.do('keys');
  expect(page.overlay).toBe('keys');
  await page.do('keys');
  expect(page.overlay).toBeNull();
});
