// The workspace folder as a tree in text: lines that lead to each folder, its
// name, what lies in it and how large that is.
import type { FolderInfo } from '../api/types.gen';
import { count } from '../figures/format';

export interface Branch {
  /** The lines before the name. */
  lead: string;
  name: string;
  /** "3 notebooks", "2 files", "results"; empty for an empty folder. */
  what: string;
  /** "412 KB"; empty where there is nothing. */
  size: string;
}

/** Bytes in a few characters, in powers of 1000. */
export function bytes(n: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let i = 0;
  while (n >= 999.5 && i < units.length - 1) {
    n /= 1000;
    i++;
  }
  return `${i > 0 && n < 9.95 ? n.toFixed(1) : Math.round(n)} ${units[i]}`;
}

function plural(n: number, word: string): string {
  return `${count(n)} ${word}${n === 1 ? '' : 's'}`;
}

function what({ notebooks, files, results }: FolderInfo): string {
  if (results) return 'results';
  if (files === 0) return '';
  return notebooks === files ? plural(notebooks, 'notebook') : plural(files, 'file');
}

export function branches(folders: FolderInfo[]): Branch[] {
  return folders.map((folder, i) => {
    let lead = '';
    for (let depth = 1; depth <= folder.depth; depth++) {
      // Whether another folder of this depth follows before one further up does.
      const next = folders.slice(i + 1).find((f) => f.depth <= depth);
      const goes = next?.depth === depth;
      lead += depth === folder.depth ? (goes ? '├ ' : '└ ') : goes ? '│ ' : '  ';
    }
    return { lead, name: `${folder.name}/`, what: what(folder), size: folder.files > 0 ? bytes(folder.bytes) : '' };
  });
}
