import { describe, expect, it } from 'vitest';
import { encodeFloats } from '../api/encode.fixture';
import type { Figure, Provenance } from '../api/types.gen';
import { step, type Gesture } from './gesture';
import { LiveFigure } from './live';
import { fixed, patchCall, patchText, refusal, type Place } from './moves';

const columns = (labels: string[]) => ({ name: 'position', labels, ids: labels.map(Number) });
const rows = { name: 'layer', labels: ['embed', '0', '1'] };
const sites = ['blocks.0.hook_resid_pre', 'blocks.0.hook_resid_post', 'blocks.1.hook_resid_post'];
const zeros = (...shape: number[]) => ({ shape, axes: shape.map(String), f32: encodeFloats(new Array<number>(shape.reduce((a, b) => a * b, 1)).fill(0)) });

function tokens(more: Partial<NonNullable<Figure['tokens']>>, provenance: Provenance): LiveFigure {
  return new LiveFigure({
    kind: 'tokens',
    title: 'T',
    subtitle: '',
    tokens: {
      rows,
      columns: columns(['1', '2', '3']),
      cell: 'c',
      top_tokens: '',
      top_values: '',
      metrics: [{ name: 'p', label: 'p', help: '', values: 'p', scale: 's' }],
      show: '',
      focus: -1,
      target: [],
      sites,
      ...more,
    },
    arrays: { p: zeros(3, 3) },
    texts: {},
    scales: {},
    provenance,
  });
}

const panel = (title: string, labels: string[]) => ({ title, columns: columns(labels) });
const lens = tokens(
  {
    panels: [panel('Clean run', ['1', '2', '3']), panel('Corrupted run', ['1', '9', '3']), panel('Patched run', ['1', '9', '3'])],
    patch: { from: 0, into: 1, call: 'patch_lens({model}, clean="1 2 3", corrupted="1 9 3", patches=[{patches}])' },
  },
  { model: 'm', hash: 'h' },
);
const at = (panel: number, row: number, col: number): Place => ({ cell: 'a', output: 'o', figure: lens, spot: { panel, row, col }, lens: '' });
const single = (labels: string[], output: string, provenance: Provenance = { model: 'm', hash: 'h', params: { prompt: labels.join(' ') } }): Place => ({
  cell: output,
  output,
  figure: tokens({ columns: columns(labels) }, provenance),
  spot: { panel: 0, row: 1, col: 1 },
  lens: '',
});

describe('a move by keys', () => {
  it('is lifted onto the same cell of the corrupted run, moves, and drops', () => {
    const lifted = step(null, { do: 'lift', from: at(0, 1, 1), by: 'keys' });
    expect(lifted.said).toBe('Lifted token 2, layer 0, of the clean run. Arrows move it, Enter drops it, Escape leaves it.');
    expect(lifted.gesture?.at?.spot).toEqual({ panel: 1, row: 1, col: 1 });
    const held = step(lifted.gesture, { do: 'hold', at: at(1, 2, 2) });
    expect(held.said).toBe('Over token 3, layer 1, of the corrupted run.');
    const dropped = step(held.gesture, { do: 'drop' });
    expect(dropped.gesture).toBeNull();
    expect(dropped.said).toBe('Dropped on token 3, layer 1, of the corrupted run: the patched run follows.');
    expect(dropped.move?.into.spot).toEqual({ panel: 1, row: 2, col: 2 });
  });

  it('says where it does not fit, and is still in the hand', () => {
    const lifted = step(null, { do: 'lift', from: at(0, 1, 1), by: 'keys' }).gesture;
    const held = step(lifted, { do: 'hold', at: at(2, 1, 1) });
    expect(held.said).toBe('Over token 9, layer 0, of the patched run: not here, values go into the corrupted run.');
    const dropped = step(held.gesture, { do: 'drop' });
    expect([dropped.move, dropped.gesture]).toEqual([undefined, held.gesture]);
  });

  it('is put back, and says nothing twice', () => {
    const lifted = step(null, { do: 'lift', from: at(0, 1, 1), by: 'keys' }).gesture;
    expect(step(lifted, { do: 'hold', at: at(1, 1, 1) }).said).toBe('');
    expect(step(lifted, { do: 'leave' })).toEqual({ gesture: null, said: 'Put back.' });
    expect(step(null, { do: 'leave' })).toEqual({ gesture: null, said: '' });
    expect(step(null, { do: 'drop' })).toEqual({ gesture: null, said: '' });
  });

  it('does not begin in a patched run', () => {
    expect(step(null, { do: 'lift', from: at(2, 1, 1), by: 'keys' })).toEqual({ gesture: null, said: 'Not lifted: values are taken from the runs without patches.' });
  });
});

it('lets go of what a pointer releases elsewhere', () => {
  const lifted = step(null, { do: 'lift', from: at(0, 1, 1), by: 'pointer' }).gesture;
  expect(lifted?.at?.spot.panel).toBe(0);
  for (const place of [null, at(0, 0, 0)]) {
    const out = step(step(lifted, { do: 'hold', at: place }).gesture, { do: 'drop' });
    expect([out.gesture, out.move]).toEqual([null, undefined]);
  }
});

describe('between figures', () => {
  const other = single(['1', '9', '3'], 'y');
  it.each<[string, Place, Place, RegExp]>([
    ['another prompt of the model', single(['1', '2', '3'], 'x'), other, /^$/],
    ['the same prompt', single(['1', '9', '3'], 'x'), other, /^the same prompt/],
    ['another length', single(['1', '2'], 'x'), other, /^2 tokens here, 3 there/],
    ['another model', single(['1', '2', '3'], 'x', { model: 'k', hash: 'g' }), other, /^another model: m/],
    ['its own lens', other, { ...other, spot: { panel: 0, row: 2, col: 2 } }, /^drop it on the lens of another prompt/],
    ['a patch lens', single(['1', '2', '3'], 'x'), at(1, 1, 1), /^drop it on the lens/],
    ['where it is', at(1, 1, 1), at(1, 1, 1), /^it is there already/],
    ['another position of its own run', at(1, 1, 1), at(1, 1, 2), /^$/],
    ['another layer of its own run', at(1, 1, 1), at(1, 2, 1), /^$/],
  ])('drops on %s or says why not', (_, from, into, want) => {
    expect(refusal(from, into)).toMatch(want);
  });

  it('knows cells that stand for nothing', () => {
    expect(fixed({ ...other, figure: tokens({ sites: undefined }, {}) })).toMatch(/^this cell stands for no value/);
  });
});

describe('a move as a call', () => {
  it.each<[string, Place, Place, string]>([
    ['to the same cell', at(0, 1, 1), at(1, 1, 1), 'patch("blocks.0.hook_resid_post", at=1)'],
    ['to another layer and position', at(0, 1, 1), at(1, 2, 2), 'patch("blocks.0.hook_resid_post", at=1, into="blocks.1.hook_resid_post", to=2)'],
    ['to an earlier position', at(0, 1, 2), at(1, 1, 1), 'patch("blocks.0.hook_resid_post", at=2, to=1)'],
    ['within the corrupted run', at(1, 1, 1), at(1, 1, 2), 'patch("blocks.0.hook_resid_post", at=1, to=2, run="corrupted")'],
  ])('%s', (_, from, into, want) => {
    expect(patchText(from, into)).toBe(want);
  });

  it('names both prompts, as text or as ids', () => {
    const from = single(['1', '2', '3'], 'x');
    const into = single(['1', '9', '3'], 'y', { model: 'm', hash: 'h', params: { prompt: [1, 9, 3] } });
    expect(patchCall(from, into, 'load("$&")')).toBe('patch_lens(load("$&"), clean="1 2 3", corrupted=[1, 9, 3], patches=[patch("blocks.0.hook_resid_post", at=1)])');
    expect(patchCall(at(0, 1, 1), at(1, 1, 1), 'm')).toBe('patch_lens(m, clean="1 2 3", corrupted="1 9 3", patches=[patch("blocks.0.hook_resid_post", at=1)])');
  });
});

it('keeps a gesture a value: no step changes the one before', () => {
  const before: Gesture = Object.freeze({ from: at(0, 1, 1), at: at(1, 1, 1), by: 'keys' });
  step(before, { do: 'hold', at: at(1, 2, 2) });
  expect(before.at?.spot).toEqual({ panel: 1, row: 1, col: 1 });
});
