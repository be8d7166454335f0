// The editor is half of the page's code and is not needed to read: it is
// loaded when the page has nothing else to do, or when somebody writes.
import type * as Editor from './editor';

export type { CellEditor } from './editor';

/** The editor's code, from the second call on without a wait for the network. */
export const editorModule = (): Promise<typeof Editor> => import('./editor');

/** Loads the editor in a quiet moment. */
export function preloadEditor(): void {
  if ('requestIdleCallback' in globalThis) requestIdleCallback(() => void editorModule());
  else setTimeout(() => void editorModule(), 500);
}
