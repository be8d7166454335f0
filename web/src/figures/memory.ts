// What the reader chose in the figures of a notebook, kept for the browser tab's
// session: a cell that runs again, and a page that is loaded again, shows its
// figures as they were looked at, as far as the new ones still have that choice.
import { resolved, type Chosen } from './choices';
import type { Choice, Pose } from './painter';

/** The choices in one figure; what the reader has left alone is absent. */
export interface Held {
  choice?: Choice;
  /** What the figure itself showed first when that was chosen. */
  own?: string;
  /** The label of the slider's frame. */
  frame?: string;
  pose?: Pose;
  /** The column by whose name a table is ordered. */
  order?: { column: string; down: boolean };
}

const KEY = 'orrery.figures';
/** The figures that are remembered, the least recently changed are forgotten first. */
const MOST = 300;

type Store = Pick<Storage, 'getItem' | 'setItem'>;

export class Memory {
  private readonly held: Map<string, Held>;

  constructor(private readonly store: Store) {
    this.held = new Map(entries(store.getItem(KEY)));
  }

  read(key: string): Held {
    return this.held.get(key) ?? {};
  }

  write(key: string, part: Held): void {
    const next = { ...this.held.get(key), ...part };
    this.held.delete(key);
    this.held.set(key, next);
    if (this.held.size > MOST) this.held.delete(this.held.keys().next().value!);
    try {
      this.store.setItem(KEY, JSON.stringify([...this.held]));
    } catch {
      // The browser keeps no more: what is here lasts until the page goes.
    }
  }
}

/** What an earlier page wrote; nothing where it cannot be read. */
function entries(text: string | null): [string, Held][] {
  try {
    const list: unknown = JSON.parse(text ?? '[]');
    if (!Array.isArray(list)) return [];
    return list.filter((e): e is [string, Held] => Array.isArray(e) && typeof e[0] === 'string' && typeof e[1] === 'object' && e[1] !== null);
  } catch {
    return [];
  }
}

/** One figure's place in the memory. */
export class Kept {
  constructor(
    private readonly memory: Memory,
    private readonly key: string,
  ) {}

  get held(): Held {
    return this.memory.read(this.key);
  }

  /** What was chosen; nothing where the call itself asks for another view than then. */
  choiceOf(figure: Chosen): Choice {
    const { choice, own } = this.held;
    const none = { show: '', colour: '' };
    if (typeof choice?.show !== 'string' || typeof choice.colour !== 'string') return none;
    return own === resolved(figure, none).show ? choice : { ...choice, show: '' };
  }

  /** How it was held; nothing where that cannot be read. */
  get pose(): Pose | null {
    const { pose } = this.held;
    const parts = ['azimuth', 'elevation', 'zoom', 'x', 'y'] as const;
    return pose && parts.every((name) => Number.isFinite(pose[name])) ? pose : null;
  }

  choose(figure: Chosen, choice: Choice): void {
    this.write({ choice, own: resolved(figure, { show: '', colour: '' }).show });
  }

  write(part: Held): void {
    this.memory.write(this.key, part);
  }

  /** The place of a part of multiples. */
  part(title: string): Kept {
    return new Kept(this.memory, `${this.key}\n${title}`);
  }
}

let memory: Memory | undefined;

/** A figure by its notebook, its cell and its place among the cell's figures. */
export function keptOf(notebook: string, cell: string, place: number): Kept {
  memory ??= new Memory(sessionStorage);
  return new Kept(memory, [notebook, cell, place].join('\n'));
}
