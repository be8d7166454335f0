import { describe, expect, it } from 'vitest';
import type { Figure } from '../api/types.gen';
import * as dials from './dials';
import { dials as figureOf, room, slider, wire } from './figures.fixture';
import { LiveFigure } from './live';

const live = (periods: number[], change: (f: Figure) => void = () => undefined) => {
  const figure = figureOf(periods);
  change(figure);
  return new LiveFigure(figure);
};

describe('a face', () => {
  it('has the cosine up and the sine to the right, as a clock has', () => {
    const face = { cx: 100, cy: 100, r: 50 };
    expect(dials.onFace(face, 1, 0)).toEqual({ x: 100, y: 50 });
    expect(dials.onFace(face, 0, 1)).toEqual({ x: 150, y: 100 });
    const far = dials.onFace(face, -3, 4);
    expect(Math.hypot(far.x - 100, far.y - 100)).toBeCloseTo(50 * dials.FAR, 9);
  });

  it.each([390, 900])('is hit at its points at %d px', (width) => {
    const at = dials.layout(live([20, 40]), room(width));
    for (let panel = 0; panel < 2; panel++) {
      for (let col = 0; col < 20; col++) {
        const b = dials.box(at, { panel, row: 0, col });
        expect(dials.hit(at, b.x + b.w / 2, b.y + b.h / 2)).toEqual({ panel, row: 0, col });
        expect(b.x >= 0 && b.x + b.w <= width && b.y >= 0 && b.y + b.h <= at.height).toBe(true);
      }
    }
    expect(dials.hit(at, at.faces[0]!.cx, at.faces[0]!.cy)).toBeNull();
  });

  it('is walked from number to number and on to the next', () => {
    const at = dials.layout(live([5, 10]), room(900));
    let spot = dials.step(at, null, 1, 0);
    for (let i = 0; i < 20; i++) spot = dials.step(at, spot, 1, 0);
    expect(spot).toEqual({ panel: 1, row: 0, col: 0 });
    expect(dials.step(at, spot, 0, 1)).toEqual({ panel: 0, row: 0, col: 0 });
    expect(dials.step(at, spot, 0, -1)).toEqual(spot);
    for (let i = 0; i < 50; i++) spot = dials.step(at, spot, 1, 0);
    expect(spot).toEqual({ panel: 1, row: 0, col: 19 });
  });
});

it('stands abreast in rows of one length', () => {
  const columns = (n: number, width: number) => {
    const at = dials.layout(live(Array.from({ length: n }, (_, i) => i + 2)), room(width));
    return at.faces.filter((f) => f.titleY === 0).length;
  };
  expect([columns(4, 900), columns(3, 900), columns(5, 900), columns(4, 390)]).toEqual([2, 3, 3, 1]);
});

it('says the words of the frame beside its title', () => {
  const moving = live([10], (f) => {
    f.slider = slider(2, ['x10'], { show: 1, texts: ['words'] });
    f.arrays['steps'] = wire([0, 1]);
    f.arrays['x10'] = wire(new Array<number>(40).fill(0.1), 2, 20);
    f.texts!['words'] = { shape: [2, 1], values: ['radius 0.1', 'radius 1'] };
    f.dials!.items[0]!.note_text = 'words';
  });
  const dial = moving.figure.dials!.items[0]!;
  expect(dials.noteOf(moving, dial)).toBe('radius 1');
  moving.seek(0);
  expect(dials.noteOf(moving, dial)).toBe('radius 0.1');
  expect(dials.noteOf(moving, { ...dial, note_text: undefined, note: 'still' })).toBe('still');
});

it('keeps its size when the slider moves points outwards', () => {
  const moving = live([10], (f) => {
    f.slider = slider(2, ['x10'], { show: 0 });
    f.arrays['steps'] = wire([0, 1]);
    f.arrays['x10'] = wire([...new Array<number>(20).fill(0.1), ...new Array<number>(20).fill(1.3)], 2, 20);
  });
  const before = dials.layout(moving, room(900)).faces[0]!;
  moving.seek(1);
  const after = dials.layout(moving, room(900)).faces[0]!;
  expect([after.r, after.cx, after.cy]).toEqual([before.r, before.cx, before.cy]);
  expect(after.xs[0]).toBe(before.xs[0]);
  expect(after.ys[0]).not.toBe(before.ys[0]);
});

describe('a circle', () => {
  const dial = (f: LiveFigure) => f.figure.dials!.items[0]!;

  it('is there where numbers lie in order, whichever way round and from wherever', () => {
    expect(dials.circleShare(live([10]), dial(live([10])))).toBeCloseTo(1, 6);
    expect(dials.orderless(live([10]), dial(live([10])))).toBe('');
    const mirrored = live([10], (f) => {
      const t = (v: number) => 1.3 - (2 * Math.PI * v) / 10;
      const all = Array.from({ length: 20 }, (_, v) => t(v));
      f.arrays['x10'] = wire(all.map(Math.cos));
      f.arrays['y10'] = wire(all.map(Math.sin));
    });
    expect(dials.circleShare(mirrored, dial(mirrored))).toBeCloseTo(1, 6);
  });

  it('is not there for points of another period, however round', () => {
    const other = live([10, 3], (f) => {
      f.dials!.items[0]!.x = 'x3';
      f.dials!.items[0]!.y = 'y3';
    });
    expect(dials.circleShare(other, dial(other))!).toBeLessThan(0.1);
    expect(dials.orderless(other, dial(other))).toMatch(/^no circle: \d %/);
  });
});

describe('numbers around a face', () => {
  const around = (period: number, r: number) => {
    const figure = live([period]);
    return dials.aroundOf(figure, figure.figure.dials!.items[0]!, r).map((a) => a.text);
  };

  it.each([
    [10, 100, ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']],
    [100, 60, ['0', '10', '20', '30', '40', '50', '60', '70', '80', '90']],
    [113, 60, ['0', '10', '20', '30', '40', '50', '60', '70', '80', '90', '100']],
  ])('are the residues of a whole period %d', (period, r, want) => {
    expect(around(period, r)).toEqual(want);
  });

  it('are the points of another one, apart from each other and in their order', () => {
    const period = 20 / 3;
    const figure = live([period]);
    const all = dials.aroundOf(figure, figure.figure.dials!.items[0]!, 60);
    expect(all[0]!.text).toBe('0');
    for (let i = 1; i < all.length; i++) expect((all[i]!.angle - all[i - 1]!.angle) * 74).toBeGreaterThan(27);
    for (const { angle, text } of all) expect(Math.cos(angle - (2 * Math.PI * Number(text)) / period)).toBeCloseTo(1, 9);
  });
});

it('counts what does not stand where it says, and reads a point', () => {
  const odd = live([10], (f) => {
    f.arrays['x10'] = { ...wire([2, NaN, ...new Array<number>(18).fill(0.5)]), state: btoa('\x01\x01\x00' + '\x01'.repeat(17)) };
  });
  const at = dials.layout(odd, room(900));
  expect(at.notes.map((n) => n.text)).toEqual(['1 not yet computed', '1 not a number, or infinite', '1 beyond the limits']);
  expect(at.faces[0]!.odd.slice(0, 4)).toEqual(['beyond', 'odd', 'pending', null]);
  expect(dials.read(odd, { panel: 0, row: 0, col: 2 })).toMatchObject({ value: 'not computed yet', facts: [] });
  const reading = dials.read(live([10]), { panel: 0, row: 0, col: 3 });
  expect([reading.title, reading.value]).toEqual(['T = 10 · 3', '108°']);
  expect(reading.facts[0]).toEqual({ name: 'radius', value: '1.00' });
});
