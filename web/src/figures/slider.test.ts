import { describe, expect, it } from 'vitest';
import type { Figure } from '../api/types.gen';
import { linear, slider, wire } from './figures.fixture';
import { LiveFigure, itemOf } from './live';
import { END, axisOf, bandOf, frameAt, frameOfKey, inWords, pace, share, track } from './slider';

const bands = [
  { label: 'memorisation', from: 0, to: 100 },
  { label: 'cleanup', from: 100, to: 1000 },
];
const steps = [0, 1, 10, 100, 1000];
const own = { show: '', colour: '' };
const log = { ...linear(1, 1000), kind: 'log' as const };

describe('the track', () => {
  const one = slider(5, [], { bands });
  const t = track(one, steps, log, 200 + 2 * END);

  it('has the frames where their values are; what a logarithm does not reach at the left end', () => {
    expect(t.xs.map((x) => Math.round(10 * x) / 10)).toEqual([9, 9, 75.7, 142.3, 209]);
    expect(share(log, NaN)).toBe(0);
  });

  it('has the bands from end to end', () => {
    expect(t.bands.map((b) => [b.label, Math.round(b.x), Math.round(b.w)])).toEqual([['memorisation', 9, 133], ['cleanup', 142, 67]]);
  });

  it.each([[-50, 1], [20, 1], [50, 2], [110, 3], [900, 4]])('takes the nearest frame at %d px', (x, want) => {
    expect(frameAt(t, x)).toBe(want);
  });

  it('writes steps with thousands apart, and others as short as they are', () => {
    const texts = (lo: number, hi: number) => track(one, [lo, hi], linear(lo, hi), 300).labels.map((l) => l.text);
    expect(texts(0, 4000)).toEqual(['0', '2,000', '4,000']);
    expect(texts(0, 5e-4)).toEqual(['0', '0.0002', '0.0004']);
  });

  it('goes like the curve with a rule, else evenly in value', () => {
    const figure: Figure = {
      kind: 'multiples',
      title: '',
      subtitle: '',
      provenance: {},
      multiples: { columns: 1, items: [{ kind: 'lines', title: '', lines: { x: 'steps', x_scale: 'log', y_scale: 's', series: [], rule: true } }] },
      slider: one,
      arrays: { steps: wire(steps) },
      scales: { log },
    };
    expect(axisOf(new LiveFigure(figure), one, own, [own])).toEqual(log);
    expect(track(one, steps, log, 400).labels[0]).toEqual({ x: END, text: '0' });
    figure.multiples!.items[0]!.lines!.rule = false;
    expect(axisOf(new LiveFigure(figure), one, own, [own])).toMatchObject({ kind: 'linear', lo: 0, hi: 1000 });
  });
});

describe('keys', () => {
  it.each([
    ['ArrowRight', false, 3],
    ['ArrowLeft', false, 1],
    ['ArrowRight', true, 12],
    ['ArrowLeft', true, 0],
    ['PageUp', false, 12],
    ['Home', false, 0],
    ['End', false, 19],
    ['Enter', false, null],
  ])('%s with shift %s goes from 2 to %s', (key, shift, want) => {
    expect(frameOfKey(key, shift, 2, 20)).toBe(want);
  });

  it('stays at the ends', () => {
    expect(frameOfKey('ArrowRight', false, 19, 20)).toBe(19);
    expect(frameOfKey('ArrowLeft', false, 0, 20)).toBe(0);
  });
});

it('says the frame in words, with its phase', () => {
  const one = slider(5, [], { bands });
  expect(inWords(one, steps, 3)).toBe('checkpoint step 3, cleanup');
  expect(inWords(slider(5, []), steps, 3)).toBe('checkpoint step 3');
  expect(bandOf(bands, 1000)).toBe('cleanup');
  expect(bandOf(bands, 1001)).toBe('');
});

it('plays a run in about ten seconds, slowly where motion is unwelcome', () => {
  expect(pace(100, false)).toBe(100);
  expect(pace(5, false)).toBe(500);
  expect(pace(2000, false)).toBe(50);
  expect(pace(100, true)).toBe(1000);
});

describe('slicing', () => {
  const figure = (): Figure => ({
    kind: 'bars',
    title: 'A figure',
    subtitle: '',
    provenance: {},
    slider: slider(3, ['v'], { show: 1, texts: ['t'] }),
    arrays: { v: { ...wire([0, 1, 2, 3, 4, 5], 3, 2), state: btoa('\x01\x01\x01\x01\x00\x00') }, still: wire([7, 8]), steps: wire([0, 1, 2]) },
    texts: { t: { shape: [3, 1], values: ['a', 'b', 'c'] } },
  });

  it('shows the present frame of what moves, of the remaining shape', () => {
    const live = new LiveFigure(figure());
    expect([...live.numbers('v').data, ...live.numbers('v').shape]).toEqual([2, 3, 2]);
    expect([...live.numbers('still').data]).toEqual([7, 8]);
    expect([live.text('t', 0), live.words('t')]).toEqual(['b', { shape: [1], values: ['b'] }]);
    expect([...live.at('v', 0).data]).toEqual([0, 1]);
    expect(live.whole('v').shape).toEqual([3, 2]);
    expect([live.moves('v'), live.moves('still')]).toEqual([true, false]);
  });

  it('copies nothing, so that a part that arrives is seen', () => {
    const live = new LiveFigure(figure());
    live.seek(2);
    expect([...live.numbers('v').state!]).toEqual([0, 0]);
    live.apply({ arrays: [{ name: 'v', offset: 4, f32: wire([9]).f32 }] }, 50);
    expect(live.numbers('v').data[0]).toBe(9);
    expect([...live.numbers('v').state!]).toEqual([1, 0]);
    expect(live.numbers('v').arrived![0]).toBe(50);
    expect(live.numbers('v').data.buffer).toBe(live.whole('v').data.buffer);
  });

  it('goes to the nearest frame and tells who listens, once', () => {
    const live = new LiveFigure(figure());
    let calls = 0;
    live.subscribe(() => calls++);
    for (const [to, want] of [[99, 2], [2, 2], [-4, 0], [0.6, 1]] as const) {
      live.seek(to);
      expect(live.frame).toBe(want);
    }
    expect(calls).toBe(3);
  });

  it('reaches the items of multiples', () => {
    const live = new LiveFigure(figure());
    const item = itemOf(live, { kind: 'table', title: 'An item' });
    let calls = 0;
    item.subscribe(() => calls++);
    live.seek(0);
    expect([item.frame, ...item.numbers('v').data, item.text('t', 0), calls]).toEqual([0, 0, 1, 'a', 1]);
    expect([item.figure.title, item.figure.kind, item.figure.bars]).toEqual(['An item', 'table', undefined]);
  });

  it('stays where the reader is when the figure is made again, if it has as many frames', () => {
    const live = new LiveFigure(figure());
    live.seek(0);
    expect(new LiveFigure(figure(), live).frame).toBe(0);
    const other = figure();
    other.slider = slider(2, [], { show: 1 });
    other.arrays['steps'] = wire([0, 1]);
    expect(new LiveFigure(other, live).frame).toBe(1);
  });

  it('refuses an array whose first dimension is not the frames', () => {
    const bad = figure();
    bad.arrays['v'] = wire([1, 2, 3, 4], 2, 2);
    expect(() => new LiveFigure(bad)).toThrow(/v: shape \[2,2\] does not begin with the slider's 3 frames/);
  });
});
