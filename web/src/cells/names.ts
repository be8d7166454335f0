// What the notebook offers for an argument: its variables of the right type, the
// models there are, a model's sites.
import type { ModelInfo, ParamInfo, ParamType } from '../api/types.gen';
import type { NotebookPage } from '../state/page.svelte';
import { quoted } from './form-values';

/** The types of variables that suit a parameter. */
const SUITS: Partial<Record<ParamType, readonly string[]>> = {
  model: ['model'],
  prompts: ['prompts', 'pairs'],
  prompt: ['prompt', 'tokens', 'string'],
  metric: ['function'],
  string: ['string'],
  strings: ['list'],
  ints: ['list', 'int', 'range'],
  numbers: ['list', 'range'],
  int: ['int'],
  float: ['float', 'int'],
  value: ['float', 'int', 'list'],
  range: ['range', 'list'],
  rows: ['list', 'string'],
  patches: ['list', 'patch'],
  edits: ['list', 'dict'],
};

/** Names, and calls that open models, that suit a parameter. */
export function namesFor(param: ParamInfo, page: Pick<NotebookPage, 'workspace' | 'names'>): string[] {
  const wanted = SUITS[param.type] ?? [];
  const found = page.names.filter((n) => wanted.includes(n.type)).map((n) => n.name);
  if (param.type !== 'model') return found;
  return [...found, ...(page.workspace?.models ?? []).map((m) => `load(${quoted(m.name)})`)];
}

const STREAM = ['hook_resid_pre', 'hook_resid_mid', 'hook_resid_post', 'hook_attn_out', 'hook_mlp_out'];
const HEADS = ['hook_z', 'hook_q', 'hook_k', 'hook_v', 'hook_pattern'];

/** The sites of a model that are changed most, layer by layer. */
export function sitesOf(model: ModelInfo | undefined): string[] {
  return Array.from({ length: model?.layers ?? 0 }).flatMap((_, l) => [
    ...STREAM.map((s) => `blocks.${l}.${s}`),
    ...HEADS.map((s) => `blocks.${l}.attn.${s}`),
    `blocks.${l}.mlp.hook_post`,
  ]);
}
