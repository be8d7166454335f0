// Cells that can be moved from one run into another: which, where to, and how
// the move is written.
import type { TokenPatch, Tokens } from '../api/types.gen';
import { tokenText } from './colour';
import { lensOf, under } from './lens';
import type { LiveFigure } from './live';
import type { Spot } from './painter';

/** A cell of a figure of the notebook. */
export interface Place {
  cell: string;
  output: string;
  figure: LiveFigure;
  spot: Spot;
  /** The lens that the cell is looked at through; empty for the first. */
  lens: string;
}

function tokensOf(place: Place): Tokens | undefined {
  const { tokens } = place.figure.figure;
  return tokens && under(tokens, place.lens);
}

function patchOf(place: Place): TokenPatch | undefined {
  return tokensOf(place)?.patch ?? undefined;
}

/** The name of the run that a cell belongs to: "clean run", "lens of 34+57=". */
function runOf(place: Place): string {
  const tokens = tokensOf(place)!;
  const panel = tokens.panels?.[place.spot.panel];
  if (panel) return panel.title.toLowerCase();
  const words = tokens.columns.labels.filter((_, i) => tokens.columns.roles?.[i] !== 'bos');
  return `lens of ${words.map(tokenText).join('')}`;
}

function columnsOf(place: Place) {
  const tokens = tokensOf(place)!;
  return tokens.panels?.[place.spot.panel]?.columns ?? tokens.columns;
}

/** A cell in words: "token 34 after block 3 of the clean run". */
export function inWords(place: Place): string {
  const { row, col } = place.spot;
  const tokens = tokensOf(place)!;
  const token = tokenText(columnsOf(place).labels[col] ?? '');
  const lens = lensOf(tokens, place.lens);
  return `token ${token}, layer ${tokens.rows.labels[row]}${lens?.suffix ? `, ${lens.label}` : ''}, of the ${runOf(place)}`;
}

/** Why a cell cannot be lifted; empty when it can. */
export function fixed(place: Place): string {
  const tokens = tokensOf(place);
  if (!tokens?.sites?.[place.spot.row]) return 'this cell stands for no value that could be moved';
  const patch = patchOf(place);
  if (patch && place.spot.panel !== patch.from && place.spot.panel !== patch.into) {
    return 'values are taken from the runs without patches';
  }
  return '';
}

/** Why a lifted cell cannot be dropped at a place; empty when it can. */
export function refusal(from: Place, into: Place): string {
  const patch = patchOf(into);
  if (from.output === into.output) {
    if (!patch) return 'drop it on the lens of another prompt';
    if (into.spot.panel !== patch.into) return `values go into the ${tokensOf(into)!.panels![patch.into]!.title.toLowerCase()}`;
    if (!tokensOf(into)?.sites?.[into.spot.row]) return 'this cell stands for no value that could be moved';
    const { panel, row, col } = from.spot;
    if (panel === patch.into && row === into.spot.row && col === into.spot.col) return 'it is there already';
    return '';
  }
  if (patch || patchOf(from) || !tokensOf(into)?.sites?.[into.spot.row]) return 'drop it on the lens of another prompt';
  const [a, b] = [from.figure.figure.provenance, into.figure.figure.provenance];
  if (!a.hash || a.hash !== b.hash) return `another model: ${b.model ?? 'unknown'}`;
  const [x, y] = [columnsOf(from), columnsOf(into)];
  if (x.labels.length !== y.labels.length) return `${x.labels.length} tokens here, ${y.labels.length} there: values are moved between prompts of equal length`;
  if (x.ids?.join() === y.ids?.join()) return 'the same prompt: nothing would change';
  return '';
}

/** The place where a lifted cell is first held: the same cell of the run that takes values. */
export function target(from: Place): Place {
  const patch = patchOf(from);
  return patch ? { ...from, spot: { ...from.spot, panel: patch.into } } : from;
}

/** A move as a patch in a cell. */
export function patchText(from: Place, into: Place): string {
  const site = tokensOf(from)!.sites![from.spot.row]!;
  const other = tokensOf(into)!.sites![into.spot.row]!;
  const args = [JSON.stringify(site), `at=${from.spot.col}`];
  if (other !== site) args.push(`into=${JSON.stringify(other)}`);
  if (into.spot.col !== from.spot.col) args.push(`to=${into.spot.col}`);
  if (from.output === into.output && from.spot.panel === into.spot.panel) args.push('run="corrupted"');
  return `patch(${args.join(', ')})`;
}

/** The prompt of a lens as an argument: its text where it was given as text, else its ids. */
function promptText(place: Place): string {
  const given = place.figure.figure.provenance.params?.['prompt'];
  return typeof given === 'string' ? JSON.stringify(given) : `[${(columnsOf(place).ids ?? []).join(', ')}]`;
}

/** The call that makes the patched run of a move, model given, in a cell of its own. */
export function patchCall(from: Place, into: Place, model: string): string {
  const call = patchOf(into)?.call ?? `patch_lens({model}, clean=${promptText(from)}, corrupted=${promptText(into)}, patches=[{patches}])`;
  return call.replace('{patches}', () => patchText(from, into)).replace('{model}', () => model);
}
