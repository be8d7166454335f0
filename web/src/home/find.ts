// Finding notebooks on the start page.
import type { NotebookInfo } from '../api/types.gen';

/** "Causal_mediation" and "causal mediation" are the same. */
function plain(text: string): string {
  return text.toLowerCase().replaceAll('_', ' ');
}

/** The notebooks that have every word somewhere: in title, summary, paper, name, methods or models. */
export function matching(notebooks: NotebookInfo[], wanted: string): NotebookInfo[] {
  const words = plain(wanted).split(/\s+/).filter(Boolean);
  return notebooks.filter((n) => {
    const text = plain([n.title, n.summary, n.paper ?? '', n.id, ...(n.methods ?? []), ...(n.models ?? [])].join('\n'));
    return words.every((word) => text.includes(word));
  });
}
