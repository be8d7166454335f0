// The code editor: CodeMirror 6, made only for the cell that is being edited.
import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, closeCompletion, completionStatus } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentLess, indentMore } from '@codemirror/commands';
import { python } from '@codemirror/lang-python';
import { bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { setDiagnostics } from '@codemirror/lint';
import { EditorState, type Extension } from '@codemirror/state';
import { EditorView, keymap } from '@codemirror/view';

import type * as api from '../api/types.gen';
import { highlighter } from './highlight';
import { source as completion, type Known } from './complete';
import { errorSpan } from './mark';

export interface EditorOptions {
  parent: HTMLElement;
  text: string;
  /** Where the caret starts, in UTF-16 units; the end when left out. */
  caret?: number | undefined;
  /** What the editor holds, for readers who hear the page. */
  label: string;
  code: boolean;
  known: () => Known;
  onChange: (text: string) => void;
}

/** The editor that a cell holds while it is edited. */
export interface CellEditor {
  focus(): void;
  /** Where the cursor stands, in UTF-16 units. */
  caret(): number;
  /** Replaces the text where another page has changed it. */
  setText(text: string): void;
  /** Underlines the place of an error; null for none. */
  mark(error: api.Error | null): void;
  destroy(): void;
}

/** Tab completes or indents; Escape leaves the editor first, so Tab is no trap. */
const tab = [
  { key: 'Tab', run: (view: EditorView) => acceptCompletion(view) || completionStatus(view.state) === 'active' || indentMore(view), shift: indentLess },
];

/** Keys that the page takes for itself even inside the editor. */
const RESERVED = ['Mod-Enter', 'Mod-Shift-Enter', 'Shift-Enter', 'Alt-Enter', 'Mod-Shift-ArrowUp', 'Mod-Shift-ArrowDown', 'Mod-i', 'Mod-k'];

function language(options: EditorOptions): Extension {
  if (!options.code) return [];
  return [
    python(),
    syntaxHighlighting(highlighter),
    bracketMatching(),
    closeBrackets(),
    indentOnInput(),
    indentUnit.of('    '),
    autocompletion({ override: [completion(options.known)], icons: false, activateOnTyping: true }),
    keymap.of([...closeBracketsKeymap, ...tab]),
  ];
}

function nonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[name=csp-nonce]')?.content ?? '';
}

export function createEditor(options: EditorOptions): CellEditor {
  let silent = false;
  const view = new EditorView({
    parent: options.parent,
    state: EditorState.create({
      doc: options.text,
      selection: { anchor: Math.min(options.caret ?? options.text.length, options.text.length) },
      extensions: [
        EditorView.cspNonce.of(nonce()),
        history(),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ 'aria-label': options.label, spellcheck: String(!options.code) }),
        language(options),
        keymap.of([
          ...defaultKeymap
            .filter((b) => !RESERVED.includes(b.key ?? '') && !RESERVED.includes(b.mac ?? ''))
            // Shift+Enter runs the cell: it must not be a second Enter.
            .map((b) => (b.key === 'Enter' ? { key: b.key, ...(b.run && { run: b.run }) } : b)),
          ...historyKeymap,
        ]),
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !silent) options.onChange(update.state.doc.toString());
        }),
        // Escape first closes the list of completions; the page sees it only then.
        EditorView.domEventHandlers({
          keydown: (event, at) => {
            if (event.key === 'Escape' && completionStatus(at.state) === 'active') event.stopPropagation();
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)) closeCompletion(at);
            return false;
          },
        }),
      ],
    }),
  });
  return {
    focus: () => view.focus(),
    caret: () => view.state.selection.main.head,
    setText(text) {
      if (text === view.state.doc.toString()) return;
      silent = true;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
      silent = false;
    },
    mark(error) {
      view.dispatch(setDiagnostics(view.state, error ? diagnostics(view.state, error) : []));
    },
    destroy: () => view.destroy(),
  };
}

/** The error as an underlined place. */
function diagnostics(state: EditorState, error: api.Error) {
  const span = errorSpan(state.doc.toString(), error.line, error.column);
  return span ? [{ ...span, severity: 'error' as const, message: error.message }] : [];
}
