// A figure whose numbers arrive while it is drawn.
import { decodeBytes, decodeFloats } from '../api/floats';
import type { Figure, Part, Scale, Text, WireArray } from '../api/types.gen';

/** The states of a number, as viz.State. */
export const PENDING = 0;
export const DONE = 1;
export const BLANK = 2;

/** A named block of numbers, row-major. */
export interface Numbers {
  shape: number[];
  data: Float32Array;
  /** One state a number; null when all are done. */
  state: Uint8Array | null;
  /** When each number arrived, in ms of performance.now(); 0 for at once. */
  arrived: Float64Array | null;
}

function readArray(name: string, wire: WireArray): Numbers {
  const data = decodeFloats(wire.f32);
  const size = wire.shape.reduce((n, d) => n * d, 1);
  if (data.length !== size) {
    throw new RangeError(`array ${name}: shape [${wire.shape}] needs ${size} numbers, ${data.length} given`);
  }
  const state = wire.state ? decodeBytes(wire.state) : null;
  if (state && state.length !== size) throw new RangeError(`array ${name}: state does not fit [${wire.shape}]`);
  return { shape: wire.shape, data, state, arrived: null };
}

/**
 * LiveFigure holds a figure's data outside of Svelte's reactivity: parts are
 * applied without touching the page, and listeners redraw the canvas once a
 * frame.
 */
export class LiveFigure {
  readonly arrays = new Map<string, Numbers>();
  readonly texts = new Map<string, Text>();
  scales: Record<string, Scale>;
  /** Grows with every change of the data. */
  version = 0;
  private listeners = new Set<() => void>();

  /** earlier, when given, is the figure that this one replaces: numbers that it had do not fade in again. */
  constructor(
    readonly figure: Figure,
    earlier?: LiveFigure,
    now = 0,
  ) {
    for (const [name, wire] of Object.entries(figure.arrays ?? {})) {
      const array = readArray(name, wire);
      const before = earlier?.arrays.get(name);
      if (before && before.data.length === array.data.length) {
        const arrived = new Float64Array(array.data.length);
        for (let i = 0; i < arrived.length; i++) {
          const fresh = before.state?.[i] === PENDING && (array.state?.[i] ?? DONE) === DONE;
          arrived[i] = fresh ? now : (before.arrived?.[i] ?? 0);
        }
        array.arrived = arrived;
      }
      this.arrays.set(name, array);
    }
    for (const [name, text] of Object.entries(figure.texts ?? {})) {
      this.texts.set(name, { shape: text.shape, values: [...text.values] });
    }
    this.scales = { ...figure.scales };
  }

  /** Adds a part; a part that does not fit throws RangeError and changes nothing. */
  apply(part: Part, now = 0): void {
    const runs = (part.arrays ?? []).map((run) => {
      const array = this.arrays.get(run.name);
      if (!array) throw new RangeError(`part: no array ${run.name}`);
      const data = decodeFloats(run.f32);
      if (run.offset < 0 || run.offset + data.length > array.data.length) {
        throw new RangeError(`part: array ${run.name}: ${data.length} numbers at ${run.offset} do not fit [${array.shape}]`);
      }
      return { array, data, offset: run.offset };
    });
    for (const run of part.texts ?? []) {
      const text = this.texts.get(run.name);
      if (!text) throw new RangeError(`part: no text ${run.name}`);
      if (run.offset < 0 || run.offset + run.values.length > text.values.length) {
        throw new RangeError(`part: text ${run.name}: ${run.values.length} strings at ${run.offset} do not fit [${text.shape}]`);
      }
    }
    for (const { array, data, offset } of runs) {
      array.data.set(data, offset);
      array.arrived ??= new Float64Array(array.data.length);
      for (let i = offset; i < offset + data.length; i++) {
        if (array.state?.[i] === PENDING) array.arrived[i] = now;
        if (array.state) array.state[i] = DONE;
      }
    }
    for (const run of part.texts ?? []) {
      const { values } = this.texts.get(run.name)!;
      run.values.forEach((s, i) => (values[run.offset + i] = s));
    }
    Object.assign(this.scales, part.scales);
    this.version++;
    for (const listener of this.listeners) listener();
  }

  /** Calls back after each change; returns how to stop. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** The array's numbers; a name that is not there is a fault of the sender. */
  numbers(name: string): Numbers {
    const array = this.arrays.get(name);
    if (!array) throw new RangeError(`figure "${this.figure.title}": no array ${name}`);
    return array;
  }

  /** The text's string at a flat index; empty while it is not known. */
  text(name: string, index: number): string {
    return this.texts.get(name)?.values[index] ?? '';
  }

  /** The scale of a name; a missing one is a plain 0..1. */
  scale(name: string): Scale {
    return this.scales[name] ?? { kind: 'sequential', lo: 0, hi: 1, label: '', format: '%.2f' };
  }
}
