import { expect, it } from 'vitest';
import { emptyNotebook, type CellView } from './reducer';
import { markOf, markOfAll, outline, summary } from './status';

const cell = (more: Partial<CellView>): CellView => ({
  id: 'c',
  kind: 'code',
  source: '',
  html: '',
  state: 'done',
  validity: 'fresh',
  millis: 0,
  ranAt: '',
  recalled: null,
  defines: [],
  uses: [],
  outputs: [],
  progress: null,
  outdated: false,
  ...more,
});

it.each([
  ['done', {}, 'done'],
  ['done before its source changed', { validity: 'stale' }, 'stale'],
  ['running though stale', { validity: 'stale', state: 'running' }, 'running'],
  ['failed though stale', { validity: 'stale', state: 'failed' }, 'failed'],
  ['never run', { validity: 'stale', state: 'idle' }, 'idle'],
] as const)('marks a cell that is %s', (_, more, want) => {
  expect(markOf(cell(more))).toBe(want);
});

it('marks a notebook by its most urgent cell', () => {
  const all = (...states: CellView['state'][]) => markOfAll(states.map((state) => cell({ state })));
  expect([all('done', 'canceled'), all('canceled', 'failed'), all('failed', 'running'), all('done', 'done')]).toEqual(['canceled', 'failed', 'running', 'done']);
  expect(markOfAll([cell({ kind: 'markdown' })])).toBe('idle');
});

it('says the state in words', () => {
  const state = emptyNotebook('n');
  state.savedAt = new Date(2026, 10, 24, 18, 41, 7).toISOString();
  state.cells = [cell({ validity: 'stale' }), cell({ validity: 'stale' }), cell({ state: 'running' }), cell({ kind: 'markdown', validity: 'stale' })];
  expect(summary(state, false)).toBe('Saved 18:41:07 · 2 cells stale · 1 running');
  state.cells.push(cell({ state: 'canceled' }), cell({ state: 'failed' }));
  expect(summary(state, false)).toBe('Saved 18:41:07 · 2 cells stale · 1 failed · 1 interrupted · 1 running');
  expect(summary(state, true)).toMatch(/^Saving…/);
});

it('lists headings with the most urgent mark below them', () => {
  const text = (source: string) => cell({ kind: 'markdown', source });
  const found = outline([
    text('# One *bold*\n\n```\n# not a heading\n```\n## Two ##'),
    cell({}),
    cell({ state: 'failed' }),
    cell({ validity: 'stale' }),
    text('### Three'),
    text('#### too deep'),
  ]);
  expect(found.map((h) => [h.text, h.level, h.mark])).toEqual([
    ['One bold', 1, 'done'],
    ['Two', 2, 'failed'],
    ['Three', 3, 'done'],
  ]);
});
