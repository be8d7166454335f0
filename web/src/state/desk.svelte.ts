// Causal work across cells: a value in the reader's hand, and the edits of the
// notebook that patched runs are.
import { head, headDirect, type HeadAsked } from '../api/http';
import type { HeadCard, HeadDirect } from '../api/types.gen';
import { BUILTINS } from '../editor/builtins';
import { addPatches, elements, findCalls, modelArg, named, promptsArg, sameRuns, showTries } from '../editor/calls';
import { step, type Act, type Gesture } from '../figures/gesture';
import type { LiveFigure } from '../figures/live';
import { patchCall, patchText, type Place } from '../figures/moves';
import type { Reading, Spot } from '../figures/painter';
import type { NotebookPage } from './page.svelte';
import { newID } from './reducer';

/** So many cards of heads are kept. */
const HEADS = 128;

export class Desk {
  /** What is lifted now. */
  gesture = $state.raw<Gesture | null>(null);
  /** The last step in words, for the live region. */
  said = $state('');
  /** The cell whose next figure takes the focus, and the spot in it. */
  private waiting: { cell: string; spot: Spot | null } | null = null;

  private readonly heads = new Map<string, Promise<HeadCard>>();

  constructor(private readonly page: NotebookPage) {}

  act(act: Act): void {
    const { gesture, said, move } = step(this.gesture, act);
    this.gesture = gesture;
    if (said) this.said = said;
    if (move) void this.move(move.from, move.into);
  }

  /** Opens the edited run behind a cell of a heatmap, in the patch lens behind its cell. */
  async open(cell: string, figure: LiveFigure, { call, sets }: NonNullable<Reading['open']>): Promise<void> {
    const analysis = figure.figure.provenance.analysis ?? '';
    const prompts = sets ? promptsArg(this.text(cell), analysis) : '';
    if (sets && !this.known(prompts)) {
      this.said = 'The prompts of the mean are not known here.';
      this.page.session.notice = { message: 'the prompts that this mean is over are written in a way that another cell cannot repeat', hint: `give them a name in a cell, ps = prompts(...), and pass prompts=ps to ${analysis || 'the call'}` };
      return;
    }
    await this.patch(cell, call(this.modelOf(cell, figure), prompts), null);
  }

  /** What the head behind a cell reads and writes; a refusal is words for the card. */
  head(cell: string, output: string, asked: HeadAsked): Promise<HeadCard> {
    const key = [output, asked.panel, asked.row, asked.column, asked.prompt].join();
    let card = this.heads.get(key);
    if (!card) {
      card = head(this.page.session.state.id, cell, output, asked);
      this.heads.set(key, card);
      card.catch(() => this.heads.delete(key)); // what was refused is asked for again
      if (this.heads.size > HEADS) this.heads.delete(this.heads.keys().next().value!);
    }
    return card;
  }

  /** What that head writes directly in all prompts; not kept, so that it can be given up. */
  headDirect(cell: string, output: string, asked: HeadAsked, signal: AbortSignal): Promise<HeadDirect> {
    return headDirect(this.page.session.state.id, cell, output, asked, signal);
  }

  /** Makes the values behind a cell of a heatmap a variable, in a cell of its own. */
  async variable(cell: string, figure: LiveFigure, { name, array, note }: NonNullable<Reading['value_of']>, { row, col }: Spot): Promise<void> {
    const { cells, session } = this.page;
    const analysis = figure.figure.provenance.analysis ?? '';
    const taken = new Set(session.state.variables.map((v) => v.name));
    const free = (wanted: string): string => {
      for (let n = 1; ; n++) {
        const next = n === 1 ? wanted : `${wanted}_${n}`;
        if (!taken.has(next) && !cells.some((c) => new RegExp(`\\b${next}\\b`).test(this.text(c.id)))) return next;
      }
    };
    const text = this.text(cell);
    const call = named(text, analysis, free(`${analysis}_figure`));
    if (!call) {
      this.said = 'The figure has no name in its cell.';
      session.notice = { message: `the call of ${analysis || 'this figure'} in this cell stands in a way that cannot be given a name from here`, hint: `write figure = ${analysis || '...'}(...) on a line of its own, and press V again` };
      return;
    }
    const variable = free(name);
    const id = newID();
    const source = `${variable} = ${call.name}.values(${JSON.stringify(array)})[${row}, ${col}]${note ? `  # ${note}` : ''}\n${variable}`;
    const index = this.index(cell) + 1;
    const ops = [{ op: 'insert' as const, index, kind: 'code' as const, source, cell: id }];
    if (!(await session.apply(call.source === text ? ops : [{ op: 'source', cell, source: call.source }, ...ops]))) return;
    this.said = `The variable ${variable} follows in a code cell.`;
    this.page.select(id);
    await session.run([id]);
  }

  /** Shows other tries of a cell's patch lens. */
  async show(cell: string, tries: number[], count: number): Promise<void> {
    const next = showTries(this.text(cell), tries, count);
    if (next === null) {
      this.said = 'The call is written in a way that cannot be changed from here: give show= in its cell.';
      this.page.session.notice = { message: 'this cell does not hold one patch_lens call', hint: `write show=${tries.length === 1 ? tries[0] : `[${tries.join(', ')}]`} where it is called` };
      return;
    }
    await this.rewrite(cell, next, null);
  }

  /** Hands over the focus to a new figure of a cell, once: the spot, null for none, undefined when it is not its turn. */
  claim(cell: string): Spot | null | undefined {
    if (this.waiting?.cell !== cell) return undefined;
    const { spot } = this.waiting;
    this.waiting = null;
    return spot;
  }

  private async move(from: Place, into: Place): Promise<void> {
    const last = this.index(from.cell) > this.index(into.cell) ? from : into;
    if (from.output === into.output) {
      const next = addPatches(this.text(into.cell), [patchText(from, into)]);
      if (next !== null) {
        await this.rewrite(into.cell, next, into.spot);
        return;
      }
    }
    await this.patch(last.cell, patchCall(from, into, this.modelOf(from.cell, from.figure)), into.spot);
  }

  /** Adds a call's patches to the patch lens that follows a cell, or puts the call into a new cell there. */
  private async patch(cell: string, call: string, spot: Spot | null): Promise<void> {
    const { cells, session } = this.page;
    const after = cells[this.index(cell) + 1];
    const wanted = findCalls(call, 'patch_lens')[0]!;
    const patches = elements(wanted.args.find((a) => a.name === 'patches')?.text ?? '') ?? [];
    if (after?.kind === 'code') {
      const found = findCalls(this.text(after.id), 'patch_lens');
      const next = found.length === 1 && sameRuns(found[0]!, wanted) ? addPatches(this.text(after.id), patches) : null;
      if (next !== null) {
        await this.rewrite(after.id, next, spot);
        this.page.select(after.id);
        return;
      }
    }
    // Written as if its patches were added to it, so that long lists have a line each.
    const source = addPatches(call.replace(/, patches=\[[^]*$/, ')'), patches) ?? call;
    const { id, done } = session.insert(this.index(cell) + 1, 'code', source);
    this.waiting = { cell: id, spot };
    this.page.select(id);
    this.said = 'A code cell with the patched run follows.';
    if (await done) await session.run([id]);
  }

  /** Replaces a cell's source, as one edit that can be undone, and runs it. */
  private async rewrite(cell: string, source: string, spot: Spot | null): Promise<void> {
    this.waiting = { cell, spot };
    const { session } = this.page;
    if (source !== this.text(cell) && !(await session.apply([{ op: 'source', cell, source }]))) {
      this.waiting = null;
      return;
    }
    await session.run([cell]);
  }

  private index(cell: string): number {
    return this.page.cells.findIndex((c) => c.id === cell);
  }

  private text(cell: string): string {
    return this.page.session.saving.textOf(cell, this.page.session.cell(cell)?.source ?? '');
  }

  /** The model of a figure as another cell can write it: the expression of its own call where its names are known, else by name. */
  private modelOf(cell: string, figure: LiveFigure): string {
    const { provenance } = figure.figure;
    const text = modelArg(this.text(cell), provenance.analysis ?? '');
    return this.known(text) ? text : `load(${JSON.stringify(provenance.model ?? '')})`;
  }

  /** True of an expression that means the same in another cell: all its names are variables or builtins. */
  private known(text: string): boolean {
    const names = text.replace(/"[^"]*"|'[^']*'/g, '').match(/(?<![.\w])[A-Za-z_]\w*(?!\w*\s*=(?!=))/g) ?? [];
    const all = new Set([...BUILTINS.map((b) => b.name), ...this.page.session.state.variables.map((v) => v.name)]);
    return text !== '' && names.every((n) => all.has(n));
  }
}
