import { expect, test } from 'vitest';
import type { NotebookInfo } from '../api/types.gen';
import { matching } from './find';

const info = (id: string, more: Partial<NotebookInfo>): NotebookInfo => ({ id, title: id, summary: '', modified: '', cells: 1, example: true, kept: false, ...more });
const notebooks = [
  info('grok', { title: 'Watching it grok', paper: 'Nanda 2023', models: ['modadd-113'], methods: ['grokking'] }),
  info('pizza', { title: 'Clock or pizza', paper: 'Zhong 2023', models: ['modadd-59-pizza', 'modadd-59-clock'], methods: ['clock_or_pizza', 'grokking'] }),
  info('sum', { title: 'Where does 34 + 57 become 91?', models: ['mental-2op'], methods: ['logit_lens', 'causal_mediation'] }),
];

test.each([
  ['', 'grok pizza sum'],
  ['modadd-113', 'grok'],
  ['MODADD', 'grok pizza'],
  ['causal mediation', 'sum'],
  ['causal_mediation', 'sum'],
  ['2023 grokking', 'grok pizza'],
  ['nanda pizza', ''],
])('%s finds %s', (wanted, ids) => {
  expect(matching(notebooks, wanted).map((n) => n.id).join(' ')).toBe(ids);
});
