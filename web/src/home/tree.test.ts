import { expect, test } from 'vitest';
import type { FolderInfo } from '../api/types.gen';
import { branches, bytes } from './tree';

test('bytes in a few characters', () => {
  expect([0, 1, 999, 1000, 9949, 9960, 412_000, 999_600, 1.1e9].map(bytes)).toEqual(['0 B', '1 B', '999 B', '1.0 KB', '9.9 KB', '10 KB', '412 KB', '1.0 MB', '1.1 GB']);
});

test('lines lead to each folder', () => {
  const folder = (name: string, depth: number, notebooks = 0, files = notebooks): FolderInfo => ({ name, depth, notebooks, files, bytes: 1500 });
  const tree = branches([
    folder('work', 0, 1),
    folder('models', 1),
    folder('own', 2, 0, 4),
    folder('notes', 1, 2, 3),
    folder('old', 2, 1),
    folder('older', 2),
    { ...folder('.orrery', 1, 0, 1), results: true },
  ]);
  expect(tree.map((b) => [b.lead + b.name, b.what, b.size].join(' ').trimEnd())).toEqual([
    'work/ 1 notebook 1.5 KB',
    '├ models/',
    '│ └ own/ 4 files 1.5 KB',
    '├ notes/ 3 files 1.5 KB',
    '│ ├ old/ 1 notebook 1.5 KB',
    '│ └ older/',
    '└ .orrery/ results 1.5 KB',
  ]);
});
