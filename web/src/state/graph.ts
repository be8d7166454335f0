// The graph of a notebook: which code cell gives names to which.
import type { CellView } from './reducer';
import { markOf, type Mark } from './status';

/** A code cell in the graph. */
export interface Node {
  cell: string;
  /** Its place among all cells, from 1, as its label says. */
  number: number;
  mark: Mark;
  /** What it is called there: the names that it gives, else its first line. */
  label: string;
  /** What it reads and who reads it, in words; empty where it stands alone. */
  words: string;
}

/** Names that one code cell takes from another, by their rows. */
export interface Link {
  from: number;
  to: number;
}

/** The code cells in page order, and the links between them. A name that two cells define links to neither. */
export function graphOf(cells: readonly CellView[]): { nodes: Node[]; links: Link[] } {
  const rows = cells.map((cell, i) => ({ cell, number: i + 1 })).filter(({ cell }) => cell.kind === 'code');
  const givers = new Map<string, number>();
  rows.forEach(({ cell }, row) => cell.defines.forEach((name) => givers.set(name, givers.has(name) ? -1 : row)));
  const links: Link[] = [];
  const reads = rows.map((): string[] => []);
  const readers = rows.map((): number[] => []);
  rows.forEach(({ cell, number }, to) => {
    for (const name of cell.uses) {
      const from = givers.get(name) ?? -1;
      if (from < 0 || from === to) continue;
      reads[to]!.push(`${name} from cell ${rows[from]!.number}`);
      if (links.some((l) => l.from === from && l.to === to)) continue;
      links.push({ from, to });
      readers[from]!.push(number);
    }
  });
  const nodes = rows.map(({ cell, number }, row): Node => {
    const words = [reads[row]!.length > 0 ? `reads ${reads[row]!.join(', ')}` : '', readers[row]!.length > 0 ? `read by ${readers[row]!.length === 1 ? 'cell' : 'cells'} ${readers[row]!.join(', ')}` : ''];
    const label = cell.defines.join(', ') || (cell.source.trim().split('\n')[0] ?? '') || 'empty';
    return { cell: cell.id, number, mark: markOf(cell), label, words: words.filter(Boolean).join('; ') };
  });
  return { nodes, links };
}
