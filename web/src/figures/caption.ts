// A figure's words as they are set: what it says, and after it, smaller, how
// it was measured; signs and units that stay with their numbers. viz/caption.go
// has the same rules for exported pictures.

/** How a sentence begins that says how something was measured (see viz.Figure.Caption). */
const METHOD = /^(Prompts: |Means: |Activations: |Effects: |Measured: |The [\d,]+ edited runs )/;

/** A caption in two parts; either may be empty. */
export function captionOf(text: string): { says: string; method: string } {
  const sentences = text.trim().split(/(?<=[.!?])\s+(?=\p{Lu})/u);
  const method = sentences.filter((s) => METHOD.test(s));
  const says = sentences.filter((s) => !METHOD.test(s));
  return { says: says.join(' '), method: method.join(' ') };
}

/** A text with true minus signs, and spaces that do not break between a number and what belongs to it. */
export function typeset(text: string): string {
  return text
    .replace(/(^|[\s(,:])-(?=[\d.])/g, '$1−')
    .replace(/(\d)e-0*(\d)/g, '$1e−$2')
    .replace(/(\d) %/g, '$1\u00a0%')
    .replace(/ ± /g, '\u00a0±\u00a0')
    .replace(/R² (?=[\d−])/g, 'R²\u00a0')
    .replace(/(\b\w{1,2}) ([=+−]) (?=[\d−]|\w{1,2}\b)/g, '$1\u00a0$2\u00a0');
}
