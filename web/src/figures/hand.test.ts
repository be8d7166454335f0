import { beforeEach, describe, expect, it } from 'vitest';
import type { Figure } from '../api/types.gen';
import type { Desk } from '../state/desk.svelte';
import { wire } from './figures.fixture';
import { step, type Act, type Gesture } from './gesture';
import { Hand } from './hand';
import { LiveFigure } from './live';
import type { Place } from './moves';
import type { Spot } from './painter';

const prompt = (labels: string[]) => ({ name: 'position', labels, ids: labels.map(Number) });
/** A lens of two layers over two tokens; the embedding's row cannot be moved. */
const lens = (labels: string[], sites = ['', 'blocks.0.hook_resid_post']) =>
  new LiveFigure({
    kind: 'tokens',
    title: '',
    subtitle: '',
    tokens: { rows: { name: 'layer', labels: ['embed', '0'] }, columns: prompt(labels), cell: 'c', top_tokens: '', top_values: '', metrics: [], show: '', focus: -1, target: [], sites },
    arrays: { p: wire([0]) },
    texts: {},
    scales: {},
    provenance: { model: 'm', hash: 'h' },
  } as Figure);

const figures: Record<string, LiveFigure> = { here: lens(['1', '2']), there: lens(['1', '3']) };
const at = (output: string, row: number, col: number): Place => ({ cell: output, output, figure: figures[output]!, spot: { panel: 0, row, col }, lens: '' });
const spot = (row: number, col: number): Spot => ({ panel: 0, row, col });

let gesture: Gesture | null;
let acts: Act['do'][];
let moves: string[];
let pointed: (Spot | null)[];
let revealed: Spot[];

const desk = {
  get gesture() {
    return gesture;
  },
  act(act: Act) {
    acts.push(act.do);
    const next = step(gesture, act);
    gesture = next.gesture;
    if (next.move) moves.push(`${next.move.from.output}→${next.move.into.output}`);
  },
} as unknown as Desk;

function hand(output = 'here', cells = true): Hand {
  return new Hand(() => ({
    desk,
    cells,
    place: (s) => ({ ...at(output, 0, 0), spot: s }),
    walk: (from, dx, dy) => (from ? spot(from.row + dy, from.col + dx) : spot(1, 0)),
    point: (s) => void pointed.push(s),
    reveal: (s) => void revealed.push(s),
    focus: () => undefined,
  }));
}

const pointer = (x: number, y: number, more: Partial<PointerEvent> = {}) => ({ clientX: x, clientY: y, button: 0, pointerType: 'mouse', ...more }) as PointerEvent;

beforeEach(() => {
  gesture = null;
  acts = [];
  moves = [];
  pointed = [];
  revealed = [];
});

describe('a drag', () => {
  it('begins beyond five pixels, takes the frame away, and drops in another figure', () => {
    const here = hand();
    const there = hand('there');
    here.press(pointer(10, 10), spot(1, 1));
    expect(here.move(pointer(13, 14), spot(1, 1))).toBe(false); // exactly five
    expect(here.move(pointer(14, 14), spot(1, 1))).toBe(true);
    expect([acts, pointed]).toEqual([['lift'], [null]]);
    here.out();
    expect(gesture?.at).toBeNull();
    expect(there.move(pointer(90, 90), spot(1, 1))).toBe(true);
    expect(there.lift()).toEqual({ from: null, into: spot(1, 1), fits: true });
    expect(here.lift()).toEqual({ from: spot(1, 1), into: null, fits: true });
    there.end('drop');
    expect(moves).toEqual([]); // the figure that it came from ends it
    here.end('drop');
    expect([moves, gesture]).toEqual([['here→there'], null]);
  });

  it('is ended by one click that locks nothing', () => {
    const here = hand();
    here.press(pointer(0, 0), spot(1, 1));
    here.move(pointer(9, 0), spot(1, 1));
    here.end('drop');
    expect([here.click(spot(1, 1)), here.click(spot(1, 1))]).toEqual([true, false]);
  });

  it('is left by Escape', () => {
    const here = hand();
    here.press(pointer(0, 0), spot(1, 1));
    here.move(pointer(9, 0), spot(1, 1));
    hand('there').move(pointer(90, 90), spot(1, 1));
    here.end('leave');
    expect([moves, gesture]).toEqual([[], null]);
  });

  it.each<[string, Partial<PointerEvent>, Spot | null]>([
    ['by a finger, which scrolls', { pointerType: 'touch' }, spot(1, 1)],
    ['by another button', { button: 2 }, spot(1, 1)],
    ['beside all cells', {}, null],
    ['of a cell that stands for no value', {}, spot(0, 1)],
  ])('does not begin %s', (_, more, on) => {
    const here = hand();
    here.press(pointer(0, 0, more), on);
    here.move(pointer(40, 0, more), on);
    expect(acts).toEqual([]);
  });

  it('does not begin in other figures than grids of tokens', () => {
    expect([hand('here', false).movable(spot(1, 1)), hand().movable(spot(1, 1)), hand().movable(null)]).toEqual([false, true, false]);
  });
});

describe('a cell in the hand by keys', () => {
  it('walks, is dropped by Enter, and keeps the keys that mean something to it', () => {
    const here = hand();
    here.raise(spot(1, 1));
    const there = hand('there');
    expect(there.carry('ArrowLeft')).toBe(true);
    expect([gesture?.at?.spot, revealed]).toEqual([spot(1, 0), [spot(1, 0)]]);
    expect(there.carry('ArrowRight')).toBe(true);
    expect([there.carry(' '), there.carry('v')]).toEqual([true, false]);
    expect(there.carry('Enter')).toBe(true);
    expect(moves).toEqual(['here→there']);
    expect(there.carry('Enter')).toBe(false); // the hand is empty
  });

  it('is held at a first place where Enter is the first key', () => {
    hand().raise(spot(1, 1));
    hand('there').carry('Enter');
    expect([acts, moves]).toEqual([['lift', 'hold', 'drop'], ['here→there']]);
  });

  it('goes back where it was by Escape', () => {
    const here = hand();
    here.raise(spot(1, 1));
    here.carry('Escape');
    expect([gesture, pointed.at(-1)]).toEqual([null, spot(1, 1)]);
  });

  it('is dropped by a click on a cell, and not beside', () => {
    hand().raise(spot(1, 1));
    const there = hand('there');
    expect([there.click(null), moves]).toEqual([false, []]);
    expect([there.click(spot(1, 1)), moves]).toEqual([true, ['here→there']]);
  });

  it('is not taken by a drag that begins meanwhile', () => {
    const here = hand();
    here.raise(spot(1, 1));
    here.press(pointer(0, 0), spot(1, 0));
    here.move(pointer(50, 0), spot(1, 0));
    expect(acts).toEqual(['lift']);
  });
});
