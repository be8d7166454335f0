// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type * as api from '../api/types.gen';
import type { LiveFigure } from '../figures/live';
import type { Place } from '../figures/moves';
import { NotebookPage } from './page.svelte';
import type { ThemeSwitch } from './theme.svelte';

let sent: api.Op[][];
let ran: string[][];
let asked: string[];
let headStatus: number;

const answer = (status: number, body: unknown) => new Response(JSON.stringify(body), { status });
const CELLS: [string, string][] = [
  ['m', 'm = load("mental-2op")'],
  ['one', 'logit_lens(m, "34+57=")'],
  ['two', 'logit_lens(m, "12+57=")'],
  ['grid', 'activation_patching(m, clean="34+57=", corrupted="12+57=")'],
];

class Socket {
  static readonly CONNECTING = 0;
  readyState = 1;
  close(): void {}
}

beforeEach(() => {
  localStorage.clear();
  [sent, ran, asked, headStatus] = [[], [], [], 200];
  vi.stubGlobal('WebSocket', Socket);
  vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
    if (path.endsWith('/edit')) {
      sent.push((JSON.parse(String(init.body)) as api.EditRequest).ops);
      return answer(200, { revision: 3 + sent.length, seq: 3, saved_at: '2026-11-24T18:41:07Z', cells: [] });
    }
    if (path.endsWith('/run')) {
      ran.push((JSON.parse(String(init.body)) as api.RunRequest).cells ?? []);
      return answer(200, { jobs: [] });
    }
    if (path.includes('/head?')) {
      asked.push(path);
      return answer(headStatus, headStatus === 200 ? { runs: [] } : { code: 'busy', message: 'a run is under way' });
    }
    if (path.endsWith('/workspace')) return answer(200, { models: [], analyses: [] });
    const cells = CELLS.map(([id, source]) => ({ id, kind: 'code', source, state: 'done', validity: 'fresh' }));
    const variables = [{ name: 'm', cell: 'm', value: { type: 'model', repr: '' } }];
    return answer(200, { seq: 3, notebook: { id: 'n', title: 'N', revision: 3, cells, can_undo: false, can_redo: false }, variables, jobs: [], saved_at: '' });
  });
});

let page: NotebookPage;
afterEach(() => {
  page.close();
  vi.unstubAllGlobals();
});

async function opened(): Promise<NotebookPage> {
  page = new NotebookPage('n', {} as ThemeSwitch, () => undefined);
  await vi.waitFor(() => expect(page.session.state.loaded).toBe(true));
  return page;
}

/** A cell of a lens over three tokens of a prompt. */
function lens(cell: string, prompt: string, ids: number[]): Place {
  const tokens = { rows: { name: 'layer', labels: ['0'] }, columns: { name: 'position', labels: ids.map(String), ids }, sites: ['blocks.0.hook_resid_post'], metrics: [] };
  const figure = { figure: { tokens, provenance: { analysis: 'logit_lens', model: 'mental-2op', hash: 'h', params: { prompt } } } };
  return { cell, output: cell, figure: figure as unknown as LiveFigure, spot: { panel: 0, row: 0, col: 1 }, lens: '' };
}
const one = () => lens('one', '34+57=', [0, 34, 1]);
const two = () => lens('two', '12+57=', [0, 12, 1]);
const CALL = 'patch_lens(m, clean="34+57=", corrupted="12+57=", patches=[patch("blocks.0.hook_resid_post", at=1)])';
const flat = (source: string | undefined) => source?.replace(/\s+/g, ' ').replace(/\[ /g, '[').replace(/, \]/g, ']');

describe('a cell that is dropped on another lens', () => {
  const drop = async (from: Place, into: Place) => {
    page.desk.act({ do: 'lift', from, by: 'pointer' });
    page.desk.act({ do: 'hold', at: into });
    page.desk.act({ do: 'drop' });
    await vi.waitFor(() => expect(ran).toHaveLength(1));
  };

  it('becomes a cell with the patched run behind the later of the two, which runs and has the focus once', async () => {
    await opened();
    await drop(one(), two());
    const [op] = sent[0]!;
    expect([op!.op, op!.index, flat(op!.source)]).toEqual(['insert', 3, CALL]);
    expect([page.selected, ran]).toEqual([op!.cell, [[op!.cell]]]);
    expect(page.desk.claim('one')).toBeUndefined();
    expect(page.desk.claim(op!.cell!)).toEqual({ panel: 0, row: 0, col: 1 });
    expect(page.desk.claim(op!.cell!)).toBeUndefined();
  });

  it('stands behind the later one, too, where that is the one that it came from', async () => {
    await opened();
    await drop(two(), one());
    expect([sent[0]![0]!.index, flat(sent[0]![0]!.source)]).toEqual([3, CALL.replace('34', 'x').replace('12', '34').replace('x', '12')]);
  });

  it('joins the patch lens of the same runs that follows', async () => {
    await opened();
    page.session.state.cells[3]!.source = CALL;
    await drop({ ...one(), spot: { panel: 0, row: 0, col: 2 } }, { ...two(), spot: { panel: 0, row: 0, col: 2 } });
    expect(sent[0]!.map((op) => [op.op, op.cell])).toEqual([['source', 'grid']]);
    expect(flat(sent[0]![0]!.source)).toContain('patch("blocks.0.hook_resid_post", at=1), patch("blocks.0.hook_resid_post", at=2)');
    expect(page.selected).toBe('grid');
  });
});

describe('the value behind a cell of a map', () => {
  const figure = { figure: { provenance: { analysis: 'activation_patching', model: 'mental-2op' } } } as unknown as LiveFigure;
  const value = { name: 'effect', array: 'v', note: 'layer 1' };

  it('becomes a variable; its figure is given a name in the same step', async () => {
    await opened();
    await page.desk.variable('grid', figure, value, { panel: 0, row: 1, col: 2 });
    const [named, made] = sent[0]!;
    expect([named!.op, named!.cell, named!.source]).toEqual(['source', 'grid', `activation_patching_figure = ${CELLS[3]![1]}`]);
    expect([made!.op, made!.index, made!.source]).toEqual(['insert', 4, 'effect = activation_patching_figure.values("v")[1, 2]  # layer 1\neffect']);
    expect(ran).toEqual([[made!.cell]]);
  });

  it('has a name that is free, and leaves a call that has one as it is', async () => {
    await opened();
    page.session.state.cells[3]!.source = `grid = ${CELLS[3]![1]}`;
    page.session.state.cells[0]!.source += '\neffect = 1';
    await page.desk.variable('grid', figure, value, { panel: 0, row: 0, col: 0 });
    expect(sent[0]!.map((op) => op.source)).toEqual(['effect_2 = grid.values("v")[0, 0]  # layer 1\neffect_2']);
  });

  it('is refused in words where the call is part of something longer', async () => {
    await opened();
    page.session.state.cells[3]!.source = `print(${CELLS[3]![1]})`;
    await page.desk.variable('grid', figure, value, { panel: 0, row: 0, col: 0 });
    expect([sent, page.session.notice?.hint]).toEqual([[], expect.stringContaining('on a line of its own')]);
  });
});

it('asks for the card of a head once, and again when it was refused', async () => {
  await opened();
  const at = { panel: 0, row: 1, column: 2, prompt: 0 };
  headStatus = 503;
  await expect(page.desk.head('grid', 'o', at)).rejects.toThrow('a run is under way');
  headStatus = 200;
  await page.desk.head('grid', 'o', at);
  await page.desk.head('grid', 'o', at);
  expect(asked).toHaveLength(2);
  await page.desk.head('grid', 'o', { ...at, prompt: 1 });
  expect(asked).toHaveLength(3);
});

it('says when the prompts of a mean cannot be repeated elsewhere', async () => {
  await opened();
  page.session.state.cells[3]!.source = 'activation_patching(m, local)';
  const figure = { figure: { provenance: { analysis: 'activation_patching', model: 'mental-2op' } } } as unknown as LiveFigure;
  const call = (model: string, prompts: string) => `patch_lens(${model}, prompts=${prompts}, patches=[])`;
  await page.desk.open('grid', figure, { prompts: '', which: '', sets: true, call });
  expect([sent, page.session.notice?.hint]).toEqual([[], expect.stringContaining('give them a name')]);
  page.session.state.cells[3]!.source = 'activation_patching(m, m)';
  await page.desk.open('grid', figure, { prompts: '', which: '', sets: true, call });
  expect(flat(sent[0]![0]!.source)).toContain('prompts=m');
});
