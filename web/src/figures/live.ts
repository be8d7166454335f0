// A figure whose numbers arrive while it is drawn.
import { decodeBytes, decodeFloats } from '../api/floats';
import type { Figure, Item, Part, Scale, Text, WireArray } from '../api/types.gen';

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

/** What a painter reads: a description, and the numbers that it names as they are at the slider's frame. */
export interface FigureData {
  readonly figure: Figure;
  /** The slider's present frame; 0 where there is no slider. */
  readonly frame: number;
  /** The array's numbers, of the present frame where the slider moves it; a name that is not there is a fault of the sender. */
  numbers(name: string): Numbers;
  /** The array's numbers over all frames, the frames first where the slider moves it. */
  whole(name: string): Numbers;
  /** The array's numbers at any frame. */
  at(name: string, frame: number): Numbers;
  /** True when the slider moves the array. */
  moves(name: string): boolean;
  /** The text's string at a flat index; empty while it is not known. */
  text(name: string, index: number): string;
  /** The text of the present frame; undefined where there is none of that name. */
  words(name: string): Text | undefined;
  /** The scale of a name; a missing one is a plain 0..1. */
  scale(name: string): Scale;
  /** Calls back after each change; returns how to stop. */
  subscribe(listener: () => void): () => void;
}

/**
 * LiveFigure holds a figure's data outside of Svelte's reactivity: parts are
 * applied without touching the page, and listeners redraw the canvas once a
 * frame.
 */
export class LiveFigure implements FigureData {
  readonly arrays = new Map<string, Numbers>();
  readonly texts = new Map<string, Text>();
  scales: Record<string, Scale>;
  /** Grows with every change of the data. */
  version = 0;
  private present = 0;
  /** How many frames the slider has, and the arrays that it moves. */
  private readonly frames: number;
  private readonly moved: ReadonlySet<string>;
  /** The present frame's part of each array that was asked for. */
  private slices = new Map<string, Numbers>();
  private readonly movedTexts: ReadonlySet<string>;
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
    const { slider } = figure;
    this.frames = slider?.labels.length ?? 0;
    this.moved = new Set(slider?.arrays);
    this.movedTexts = new Set(slider?.texts);
    const shapes = [...this.moved].map((name) => ({ name, shape: this.whole(name).shape }));
    for (const name of this.movedTexts) shapes.push({ name, shape: this.texts.get(name)?.shape ?? [] });
    for (const { name, shape } of shapes) {
      if (shape[0] !== this.frames) throw new RangeError(`${name}: shape [${shape}] does not begin with the slider's ${this.frames} frames`);
    }
    // A figure that is made again stays at the frame that the reader looks at.
    if (slider) this.present = earlier && earlier.frames === this.frames ? earlier.present : slider.show;
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
    this.changed();
  }

  private changed(): void {
    this.version++;
    for (const listener of this.listeners) listener();
  }

  get frame(): number {
    return this.present;
  }

  /** Goes to a frame, the nearest one where there is none of that number. */
  seek(frame: number): void {
    const to = Math.min(this.frames - 1, Math.max(0, Math.round(frame)));
    if (to === this.present || this.frames === 0) return;
    this.present = to;
    this.slices.clear();
    this.changed();
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  numbers(name: string): Numbers {
    if (!this.moved.has(name)) return this.whole(name);
    let slice = this.slices.get(name);
    if (!slice || slice.arrived?.buffer !== this.whole(name).arrived?.buffer) {
      slice = sliceOf(this.whole(name), this.present);
      this.slices.set(name, slice);
    }
    return slice;
  }

  whole(name: string): Numbers {
    const array = this.arrays.get(name);
    if (!array) throw new RangeError(`figure "${this.figure.title}": no array ${name}`);
    return array;
  }

  at(name: string, frame: number): Numbers {
    return this.moved.has(name) ? sliceOf(this.whole(name), frame) : this.whole(name);
  }

  moves(name: string): boolean {
    return this.moved.has(name);
  }

  text(name: string, index: number): string {
    const text = this.texts.get(name);
    if (!text) return '';
    const skip = this.movedTexts.has(name) ? (this.present * text.values.length) / this.frames : 0;
    return text.values[skip + index] ?? '';
  }

  words(name: string): Text | undefined {
    const text = this.texts.get(name);
    if (!text || !this.movedTexts.has(name)) return text;
    const size = text.values.length / this.frames;
    return { shape: text.shape.slice(1), values: text.values.slice(this.present * size, (this.present + 1) * size) };
  }

  scale(name: string): Scale {
    return this.scales[name] ?? { kind: 'sequential', lo: 0, hi: 1, label: '', format: '%.2f' };
  }
}

/** One frame of an array as a view of the same memory: parts that arrive show in it. */
function sliceOf({ shape, data, state, arrived }: Numbers, frame: number): Numbers {
  const rest = shape.slice(1);
  const size = rest.reduce((n, d) => n * d, 1);
  const from = frame * size;
  return {
    shape: rest,
    data: data.subarray(from, from + size),
    state: state && state.subarray(from, from + size),
    arrived: arrived && arrived.subarray(from, from + size),
  };
}

/** One item of a multiple as a figure of its own over the shared numbers. */
export function itemOf(live: LiveFigure, item: Item): FigureData {
  return restated(live, { ...live.figure, multiples: undefined, ...item });
}

/** The same numbers under another description. */
export function restated(data: FigureData, figure: Figure): FigureData {
  return {
    figure,
    get frame() {
      return data.frame;
    },
    numbers: (name) => data.numbers(name),
    whole: (name) => data.whole(name),
    at: (name, frame) => data.at(name, frame),
    moves: (name) => data.moves(name),
    text: (name, index) => data.text(name, index),
    words: (name) => data.words(name),
    scale: (name) => data.scale(name),
    subscribe: (listener) => data.subscribe(listener),
  };
}
