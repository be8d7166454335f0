// Text that the server has not acknowledged yet, kept in this browser so that
// a closed tab or a crash loses nothing.

/** The unsent text of one cell. */
export interface Draft {
  text: string;
  /** The server's text when the writing began. */
  base: string;
  /** The document's revision when the writing began. */
  revision: number;
}

export type Drafts = Record<string, Draft>;

const KEY = 'orrery.drafts.';

/** The drafts of a notebook; unreadable ones count as none. */
export function readDrafts(storage: Storage, notebook: string): Drafts {
  try {
    const found: unknown = JSON.parse(storage.getItem(KEY + notebook) ?? '{}');
    return Object.fromEntries(Object.entries(found as Drafts).filter(([, d]) => isDraft(d)));
  } catch {
    return {};
  }
}

function isDraft(d: unknown): d is Draft {
  const { text, base, revision } = (d ?? {}) as Partial<Draft>;
  return typeof text === 'string' && typeof base === 'string' && typeof revision === 'number';
}

/** Writes the drafts; returns false when the browser has no room for them. */
export function writeDrafts(storage: Storage, notebook: string, drafts: Drafts): boolean {
  try {
    if (Object.keys(drafts).length === 0) storage.removeItem(KEY + notebook);
    else storage.setItem(KEY + notebook, JSON.stringify(drafts));
    return true;
  } catch {
    return false;
  }
}

/** Splits stored drafts by what the server has now: to send, and of cells that are gone. */
export function reconcile(drafts: Drafts, sources: Map<string, string>): { send: Drafts; orphans: Drafts } {
  const send: Drafts = {};
  const orphans: Drafts = {};
  for (const [cell, draft] of Object.entries(drafts)) {
    const source = sources.get(cell);
    if (source === draft.text) continue;
    if (source !== undefined) send[cell] = draft;
    else if (draft.text.trim() !== '') orphans[cell] = draft;
  }
  return { send, orphans };
}
