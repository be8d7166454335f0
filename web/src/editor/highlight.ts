// Colours of code, inside and outside of the editor: one grammar, one set of
// classes; outside without the cost of an editor.
import { highlightCode, tagHighlighter, tags as t } from '@lezer/highlight';
import { parser } from '@lezer/python';

/** The classes that style/code.css colours. */
export const highlighter = tagHighlighter([
  { tag: [t.keyword, t.operatorKeyword, t.controlKeyword, t.definitionKeyword, t.moduleKeyword], class: 'tok-keyword' },
  { tag: [t.string, t.special(t.string)], class: 'tok-string' },
  { tag: [t.number, t.bool, t.null], class: 'tok-number' },
  { tag: t.comment, class: 'tok-comment' },
  { tag: [t.function(t.variableName), t.function(t.propertyName), t.function(t.definition(t.variableName))], class: 'tok-call' },
]);

/** A run of code with the classes of its colour. */
export interface Run {
  text: string;
  classes: string;
}

/** Splits code into coloured runs; the runs' texts make up the code. */
export function runs(source: string): Run[] {
  const out: Run[] = [];
  highlightCode(
    source,
    parser.parse(source),
    highlighter,
    (text, classes) => out.push({ text, classes }),
    () => out.push({ text: '\n', classes: '' }),
  );
  return out;
}
