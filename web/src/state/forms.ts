// Which cells a reader sees as forms, kept in this browser and not in the
// notebook's file: source and form are two views of one text, so that the choice is
// of a reader and a screen, as a panel's is. In the file it would be a change that
// others see in their diffs, that undo takes back before a change of the text, and
// that two pages would have to agree on. What it costs is that another browser
// shows sources. This one finds it again, since the program comes back at the
// address where it was.

const KEY = 'orrery.forms.';

/** The cells of a notebook that are shown as forms; none where that cannot be read. */
export function readForms(storage: Storage, notebook: string): Record<string, boolean> {
  try {
    const found: unknown = JSON.parse(storage.getItem(KEY + notebook) ?? '[]');
    return Array.isArray(found) ? Object.fromEntries(found.filter((id) => typeof id === 'string').map((id) => [id, true])) : {};
  } catch {
    return {};
  }
}

/** Keeps the choice; cells that are gone are forgotten. A browser without room keeps none. */
export function writeForms(storage: Storage, notebook: string, forms: Record<string, boolean>, cells: readonly string[]): void {
  const kept = cells.filter((id) => forms[id]);
  try {
    if (kept.length === 0) storage.removeItem(KEY + notebook);
    else storage.setItem(KEY + notebook, JSON.stringify(kept));
  } catch {
    // The choice lasts as long as the page.
  }
}
