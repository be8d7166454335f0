// What the palette offers, and how a few letters find it.
import { COMMANDS } from '../keys/commands';
import type { NotebookPage } from '../state/page.svelte';
import type { Route } from '../state/route.svelte';
import { outline } from '../state/status';

export interface Entry {
  /** Unique among all entries. */
  key: string;
  kind: string;
  title: string;
  detail: string;
  /** What else finds it: a function's name, a paper. */
  source: string;
  keys: readonly string[];
  act: () => void;
}

export function entries(page: NotebookPage, route: Route): Entry[] {
  const { workspace, cells, session } = page;
  const entry = (kind: string, name: string, title: string, detail: string, act: () => void): Entry => ({
    key: `${kind} ${name}`,
    kind,
    title,
    detail,
    source: '',
    keys: [],
    act,
  });
  return [
    ...COMMANDS.filter((c) => c.id !== 'palette' && c.id !== 'leave').map((c) => ({
      ...entry('command', c.id, c.title, '', () => void page.do(c.id)),
      keys: c.keys.slice(0, 1),
    })),
    ...outline(cells).map((h, i) => entry('heading', String(i), h.text, '', () => page.select(h.cell))),
    ...cells.flatMap((c, i) =>
      c.state === 'running' || c.state === 'queued'
        ? [entry('job', c.id, c.progress?.label ?? `cell ${i + 1}`, `${c.state}, go to cell ${i + 1}`, () => page.select(c.id))]
        : [],
    ),
    ...session.state.variables.map((v) => entry('variable', v.name, v.name, v.value.type, () => page.select(v.cell))),
    ...additions(page),
    ...(workspace?.models ?? []).map((m) =>
      entry('model', m.name, m.name, m.summary, () => void page.insert(page.index + 1, 'code', `m = load("${m.name}")`)),
    ),
    ...(workspace?.notebooks ?? []).map((n) => entry('notebook', n.id, n.title, n.summary, () => route.open(n.id))),
  ];
}

/** What can be added as a form: every analysis, and what makes its prompts. */
export function additions(page: NotebookPage): Entry[] {
  const { analyses = [], makers = [] } = page.workspace ?? {};
  return [...analyses, ...makers].map((a) => ({
    key: `insert ${a.name}`,
    kind: 'insert',
    title: a.title,
    detail: a.summary,
    source: [a.name, a.paper].filter(Boolean).join(' · '),
    keys: [],
    act: () => page.add(a),
  }));
}

/** Entries whose words hold every word that was typed; the title's beginning first. */
export function matching(all: Entry[], wanted: string): Entry[] {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  const text = (e: Entry) => `${e.title} ${e.kind} ${e.detail} ${e.source}`.toLowerCase();
  const rank = (e: Entry) => {
    const title = e.title.toLowerCase();
    return words.length === 0 || title.startsWith(words[0]!) ? 0 : words.some((w) => title.includes(w)) ? 1 : 2;
  };
  return all.filter((e) => words.every((w) => text(e).includes(w))).sort((a, b) => rank(a) - rank(b));
}
