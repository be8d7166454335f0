// The call that an analysis begins with in a notebook: its example, with the
// notebook's own model and prompts where they suit.
import type { AnalysisInfo } from '../api/types.gen';
import { dropArg, findCalls, type Call } from '../editor/calls';
import type { Known } from './known';

/** The text of a new cell with a call of an analysis, or of a maker. */
export function callFor(info: AnalysisInfo, names: readonly Known[]): string {
  const example = /^load\("([^"]+)"\)/.exec(modelText(info))?.[1] ?? '';
  const suits = (n: Known) => n.type === 'model' && (n.model === '' || isModular(n.model) === isModular(example));
  const model = names.findLast(suits);
  const text = model ? info.example.replace(`load("${example}")`, model.name) : info.example;
  if (info.name === 'prompts' || info.name === 'prompts_from') return shown(text, names, 'p');
  if (info.name === 'pairs') {
    const set = names.findLast((n) => n.type === 'prompts');
    const made = `prompts("{a}+{b}=", ${model?.name ?? 'load("mental-2op")'}, a=range(0, 100), b=range(0, 100), n=200)`;
    return shown(text.replace(/^p\b/, set?.name ?? made), names, 'q');
  }
  const set = setFor(info, names, model?.model ?? example);
  return set ? withSet(text, info, set) : text;
}

const modelText = (info: AnalysisInfo): string => /load\("[^"]+"\)/.exec(info.example)?.[0] ?? '';

/** Models of modular addition are read by other analyses than the rest. */
const isModular = (model: string): boolean => model.startsWith('modadd');

/** The latest set that an analysis takes: pairs where it makes pairs, prompts else, read by that model or by none yet. */
function setFor(info: AnalysisInfo, names: readonly Known[], model: string): Known | undefined {
  if (!info.params.some((p) => p.name === 'prompts')) return undefined;
  const read = names.filter((n) => n.model === '' || model === '' || n.model === model);
  const pairs = info.params.some((p) => p.chooses === 'pairs') ? read.findLast((n) => n.type === 'pairs') : undefined;
  return pairs ?? read.findLast((n) => n.type === 'prompts');
}

/** A call with a set behind its model, and without what the set holds. */
function withSet(text: string, info: AnalysisInfo, set: Known): string {
  const held = info.params.filter((p) => p.chooses === 'prompts' || (p.chooses === 'pairs' && set.type === 'pairs'));
  const call = (source: string): Call => findCalls(source, info.name)[0]!;
  const bare = held.reduce((source, p) => dropArg(source, call(source), p.name), text);
  const model = call(bare).args[0]!;
  return `${bare.slice(0, model.to)}, ${set.name}${bare.slice(model.to)}`;
}

/** A value with a name that is free, and shown. */
function shown(text: string, names: readonly Known[], first: string): string {
  let name = first;
  for (let i = 2; names.some((n) => n.name === name); i++) name = `${first}${i}`;
  return `${name} = ${text}\n${name}`;
}
