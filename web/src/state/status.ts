// The notebook's state in words and marks.
import { clock } from '../figures/format';
import type { CellView, NotebookState } from './reducer';

/** The marks of a cell; each has a shape of its own. */
export type Mark = 'done' | 'running' | 'queued' | 'stale' | 'failed' | 'canceled' | 'idle';

export function markOf(cell: CellView): Mark {
  if (cell.state === 'running' || cell.state === 'queued' || cell.state === 'failed' || cell.state === 'canceled') {
    return cell.state;
  }
  if (cell.state === 'idle') return 'idle';
  return cell.validity === 'stale' ? 'stale' : 'done';
}

export const MARK_WORDS: Record<Mark, string> = {
  done: 'done',
  running: 'running',
  queued: 'waiting to run',
  stale: 'stale: its source or an input has changed since the run',
  failed: 'failed',
  canceled: 'interrupted',
  idle: 'not run yet',
};

/** "Saved 18:41:07 · 1 cell stale · 1 running". */
export function summary(state: NotebookState, unsaved: boolean): string {
  const code = state.cells.filter((c) => c.kind === 'code');
  const number = (mark: Mark) => code.filter((c) => markOf(c) === mark).length;
  const parts = [unsaved ? 'Saving…' : state.savedAt ? `Saved ${clock(state.savedAt)}` : 'Saved'];
  const stale = number('stale');
  const failed = number('failed');
  const stopped = number('canceled');
  const busy = number('running');
  const queued = number('queued');
  if (stale > 0) parts.push(`${stale} ${stale === 1 ? 'cell' : 'cells'} stale`);
  if (failed > 0) parts.push(`${failed} failed`);
  if (stopped > 0) parts.push(`${stopped} interrupted`);
  if (busy > 0) parts.push(`${busy} running`);
  if (queued > 0) parts.push(`${queued} waiting`);
  return parts.join(' · ');
}

/** One heading of the notebook with the state of the cells below it. */
export interface Heading {
  cell: string;
  text: string;
  level: number;
  mark: Mark;
}

const URGENCY: Mark[] = ['running', 'queued', 'failed', 'canceled', 'stale', 'idle', 'done'];

/** The most urgent mark of some cells' code; idle where there is none. */
export function markOfAll(cells: CellView[]): Mark {
  const marks = cells.filter((c) => c.kind === 'code').map(markOf);
  return URGENCY.find((m) => marks.includes(m)) ?? 'idle';
}

/** The outline: headings of Markdown cells, each with the most urgent mark below it. */
export function outline(cells: CellView[]): Heading[] {
  const out: Heading[] = [];
  for (const cell of cells) {
    if (cell.kind === 'markdown') out.push(...headings(cell));
    else {
      const last = out.at(-1);
      const mark = markOf(cell);
      if (last && URGENCY.indexOf(mark) < URGENCY.indexOf(last.mark)) last.mark = mark;
    }
  }
  return out;
}

function headings(cell: CellView): Heading[] {
  const out: Heading[] = [];
  let fenced = false;
  for (const line of cell.source.split('\n')) {
    if (/^\s*(```|~~~)/.test(line)) fenced = !fenced;
    const found = fenced ? null : /^(#{1,3})\s+(.+?)\s*#*$/.exec(line);
    if (found) out.push({ cell: cell.id, text: found[2]!.replace(/[*_`]/g, ''), level: found[1]!.length, mark: 'done' });
  }
  return out;
}
