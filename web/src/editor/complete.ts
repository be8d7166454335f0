// Completion from what is known without running: analyses, builtins, names
// that cells define, keyword arguments inside a call, model names in load().
import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import type * as api from '../api/types.gen';
import { bounds } from '../cells/form-values';
import { BUILTINS } from './builtins';

/** What completion may draw on; read anew at each key. */
export interface Known {
  workspace: api.Workspace | null;
  variables: api.Variable[];
}

/** The call that a position stands in: the name before the innermost open parenthesis. */
export function enclosingCall(before: string): string {
  let depth = 0;
  for (let i = before.length - 1; i >= 0; i--) {
    const c = before[i];
    if (c === ')' || c === ']' || c === '}') depth++;
    else if (c === '(' || c === '[' || c === '{') {
      if (depth === 0) return c === '(' ? (/([A-Za-z_]\w*)\s*$/.exec(before.slice(0, i))?.[1] ?? '') : '';
      depth--;
    }
  }
  return '';
}

function argument(p: api.ParamInfo): Completion {
  const detail = p.required ? `${p.type}, required` : `${p.type} = ${p.default ?? ''}`;
  const choices = p.choices?.length ? ` (${p.choices.join(', ')})` : '';
  const limits = bounds(p) && ` (${bounds(p)})`;
  return { label: `${p.name}=`, type: 'property', detail, info: p.help + choices + limits, boost: 2 };
}

/** All names that may stand at a place inside a call, or outside of one. */
export function options(call: string, known: Known): Completion[] {
  const { workspace, variables } = known;
  const analyses = workspace?.analyses ?? [];
  return [
    ...(analyses.find((a) => a.name === call)?.params.map(argument) ?? []),
    ...variables.map((v): Completion => ({ label: v.name, type: 'variable', detail: v.value.type, boost: 1 })),
    ...analyses.map((a): Completion => ({ label: a.name, type: 'function', detail: a.title, info: a.summary })),
    ...BUILTINS.map((b): Completion => ({ label: b.name, type: 'function', detail: b.call, info: b.help })),
  ];
}

/** The completion source of CodeMirror. */
export function source(known: () => Known): (context: CompletionContext) => CompletionResult | null {
  return (context) => {
    const before = context.state.sliceDoc(0, context.pos);
    const model = context.matchBefore(/load\(\s*["'][^"'\n]*/);
    if (model) {
      const models = known().workspace?.models ?? [];
      const from = model.from + model.text.search(/["']/) + 1;
      return { from, options: models.map((m) => ({ label: m.name, type: 'constant', detail: m.summary })) };
    }
    const word = context.matchBefore(/[A-Za-z_]\w*/);
    if (!word && !context.explicit) return null;
    return { from: word?.from ?? context.pos, options: options(enclosingCall(before), known()), validFor: /^\w*=?$/ };
  };
}
