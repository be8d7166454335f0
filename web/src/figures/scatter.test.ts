import { describe, expect, it } from 'vitest';
import type { Figure } from '../api/types.gen';
import { EDGES, apart, backEdges, namedEdge } from './cube';
import { canvas, view } from './canvas.fixture';
import { chosen, helix, measure, room, wire } from './figures.fixture';
import { LiveFigure } from './live';
import { spoken } from './painter';
import { turner, zoomed } from './pose';
import * as scatter from './scatter';
import { draw, labelled } from './scatter-draw';

const space = { ...chosen, show: 'space' };
const plane = { ...chosen, show: 'plane' };
const live = (n = 12, change: (f: Figure) => void = () => undefined) => {
  const figure = helix(n);
  change(figure);
  return new LiveFigure(figure);
};

describe.each([
  ['in space', space],
  ['in a plane', plane],
])('%s', (_, view) => {
  it.each([390, 900])('hits every point where it is drawn at %d px', (width) => {
    const at = scatter.layout(live(), room(width, { chosen: view }));
    for (let col = 0; col < 12; col++) {
      const b = scatter.box(at, { panel: 0, row: 0, col });
      expect(scatter.hit(at, b.x + b.w / 2, b.y + b.h / 2)).toEqual({ panel: 0, row: 0, col });
      expect(b.x).toBeGreaterThanOrEqual(0);
      expect(b.x + b.w).toBeLessThanOrEqual(width);
      expect(b.y + b.h).toBeLessThanOrEqual(at.height);
    }
    expect(scatter.hit(at, -40, 0)).toBeNull();
  });

  it('walks along the path and stays at its ends', () => {
    const at = scatter.layout(live(30), room(900, { chosen: view }));
    let spot = scatter.step(at, null, 1, 0);
    expect(spot.col).toBe(0);
    spot = scatter.step(at, spot, 1, 0);
    expect(spot.col).toBe(1);
    spot = scatter.step(at, spot, 0, 1);
    expect(spot.col).toBe(11);
    for (let i = 0; i < 5; i++) spot = scatter.step(at, spot, 0, 1);
    expect(scatter.step(at, spot, 1, 0).col).toBe(29);
  });

  it('is a plate', () => {
    const at = scatter.layout(live(), room(250, { chosen: view, mini: 200 }));
    expect([at.width, at.height]).toEqual([250, 200]);
    for (const p of at.places) expect(p.x >= 0 && p.x <= 250 && p.y >= 0 && p.y <= 200).toBe(true);
  });
});

it('prefers the point nearer to the eye where two are at one place', () => {
  const two = live(2, (f) => {
    f.arrays['x'] = wire([0, 0]);
    f.arrays['y'] = wire([0.5, -0.5]);
    f.arrays['z'] = wire([0.5, 0.5]);
    f.scatter!.turn = [0, 0];
  });
  const at = scatter.layout(two, room(900, { chosen: space }));
  expect(at.places[0]!.x).toBeCloseTo(at.places[1]!.x, 9);
  expect(at.places[1]!.depth).toBeLessThan(at.places[0]!.depth);
  expect(at.order).toEqual([0, 1]);
  expect(scatter.hit(at, at.places[0]!.x, at.places[0]!.y)?.col).toBe(1);
});

it('turns the points with the hand and leaves the size as it is', () => {
  const figure = live();
  const at = scatter.layout(figure, room(900, { chosen: space }));
  const pose = scatter.drag(at, scatter.rest(figure), 100, 0);
  expect(pose.azimuth).not.toBe(20);
  const turned = scatter.layout(figure, room(900, { chosen: space, pose }));
  expect([turned.width, turned.height, turned.plot]).toEqual([at.width, at.height, at.plot]);
  expect(turned.places[3]!.x).not.toBeCloseTo(at.places[3]!.x, 0);
});

it('enlarges a plane about its middle, with the axes as they are in view', () => {
  const figure = live();
  const pose = zoomed(scatter.rest(figure), 3);
  const at = scatter.layout(figure, room(900, { chosen: plane, pose }));
  const before = scatter.layout(figure, room(900, { chosen: plane }));
  const middle = before.plot.x + before.plot.w / 2;
  expect((at.places[1]!.x - middle) / (before.places[1]!.x - middle)).toBeCloseTo(pose.zoom, 9);
  expect(at.xScale.hi - at.xScale.lo).toBeCloseTo(2.4 / pose.zoom, 9);
  const { xScale, plot } = at;
  const x = plot.x + (plot.w * (Math.cos(Math.PI / 3) - xScale.lo)) / (xScale.hi - xScale.lo);
  expect(at.places[1]!.x).toBeCloseTo(x, 3);
});

it.each([space, plane])('brings a point that the keys reach into view', (view) => {
  const figure = live();
  const pose = zoomed(scatter.rest(figure), 6);
  const at = scatter.layout(figure, room(900, { chosen: view, pose }));
  const spot = { panel: 0, row: 0, col: 0 };
  const followed = scatter.layout(figure, room(900, { chosen: view, pose: scatter.follow(at, pose, spot) }));
  const { x, y } = followed.places[0]!;
  expect(x > at.plot.x && x < at.plot.x + at.plot.w && y > at.plot.y && y < at.plot.y + at.plot.h).toBe(true);
  expect(scatter.follow(followed, followed.pose, spot)).toBe(followed.pose);
});

describe('points that do not stand where their numbers say', () => {
  const odd = live(12, (f) => {
    f.arrays['x'] = { ...wire([NaN, 5, Infinity, 0, 0, 0, 0, 0, 0, 0, 0, 0]), state: btoa('\x01\x01\x01\x00\x02' + '\x01'.repeat(7)) };
  });

  it('stand at the margin or at the limit of a plane', () => {
    const at = scatter.layout(odd, room(900, { chosen: plane }));
    const { plot, places } = at;
    expect(places.slice(0, 5).map((p) => p.odd)).toEqual(['odd', 'beyond', 'odd', 'pending', 'blank']);
    expect(places[0]!.x).toBe(plot.x + 7);
    expect(places[1]!.x).toBe(plot.x + plot.w);
    expect(places[1]!.out).toEqual([1, 0]);
    expect(places[2]!.x).toBe(plot.x + plot.w - 7);
    expect(places[3]!.x).toBeNaN();
    expect(at.paths).toEqual([[[5, 6, 7, 8, 9, 10, 11]]]);
  });

  it.each([space, plane])('are counted in words', (view) => {
    const at = scatter.layout(odd, room(900, { chosen: view }));
    const where = view.show === 'space' ? 'on the box' : 'at the edge';
    expect(at.notes.map((n) => n.text)).toEqual([
      '1 of 12 points not yet computed',
      '2 points with no finite place, at the margin',
      `1 point beyond the limits, ${where}`,
      '1 point blank: cannot exist',
    ]);
  });

  it('say so when they are read', () => {
    expect(scatter.read(odd, { panel: 0, row: 0, col: 3 }, plane).facts.at(-2)).toEqual({ name: 'cosine', value: 'not computed yet' });
  });
});

it('reads a point with every coordinate and colouring', () => {
  const reading = scatter.read(live(), { panel: 0, row: 0, col: 3 }, { show: 'space', colour: 'digit' });
  expect(spoken(reading)).toBe('3: kind odd');
  expect(reading.facts).toEqual([
    { name: 'number', value: '3.00' },
    { name: 'cosine', value: '−1.00' },
    { name: 'cosine', value: '0.00' },
    { name: 'number', value: '3.00' },
  ]);
});

it('keeps its height when the colouring changes', () => {
  const height = (colour: string) => scatter.layout(live(), room(390, { chosen: { show: 'space', colour } })).height;
  expect(height('value')).toBe(height('digit'));
});

it('labels round numbers where points are many', () => {
  const at = scatter.layout(live(100), room(390, { chosen: space }));
  expect(labelled(at)).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
  expect(measure('90')).toBe(14);
});

describe('the cube', () => {
  it('has names below limits that they would touch, and leaves out what still does', () => {
    const word = (text: string, x: number, y: number, name = false) => ({ text, x, y, w: 30, name });
    const placed = (...words: Parameters<typeof apart>[0]) => apart(words).map((w) => [w.text, w.y]);
    expect(placed(word('PC 1', 50, 10, true), word('−1', 10, 10), word('1', 90, 10))).toEqual([['−1', 10], ['1', 10], ['PC 1', 10]]);
    expect(placed(word('PC 1', 40, 10, true), word('−1', 10, 10))).toEqual([['−1', 10], ['PC 1', 24]]);
    expect(placed(word('PC 1', 40, 10, true), word('−1', 10, 10), word('0', 45, 22))).toEqual([['−1', 10], ['0', 22]]);
    expect(placed(word('1', 10, 10), word('−2', 40, 10))).toEqual([['1', 10]]);
  });

  it('has twelve edges of one length', () => {
    expect(EDGES).toHaveLength(12);
    for (const { from, to } of EDGES) expect(Math.hypot(...from.map((v, i) => v - to[i]!))).toBe(2);
    expect(new Set(EDGES.map((e) => JSON.stringify([e.from, e.to]))).size).toBe(12);
  });

  it.each([[20, 25], [200, 25], [20, -25], [0, 0]])('draws none of its edges before the points at %d, %d', (azimuth, elevation) => {
    const turn = turner({ azimuth, elevation });
    const nearest = Math.min(...EDGES.flatMap((e) => [turn(e.from).depth, turn(e.to).depth]));
    expect(backEdges(turn)).toHaveLength(9);
    const front = EDGES.filter((e) => !backEdges(turn).includes(e));
    for (const e of front) expect(Math.min(turn(e.from).depth, turn(e.to).depth)).toBeCloseTo(nearest, 9);
  });

  it('writes x and y below and z at the left', () => {
    const turn = turner({ azimuth: 20, elevation: 25 });
    for (const axis of [0, 1] as const) expect(turn(namedEdge(axis, turn).from).up).toBeLessThan(0);
    expect(turn(namedEdge(2, turn).from).right).toBeLessThan(0);
  });
});

it('writes labels clear of few points, and never on another label', () => {
  // Three points in a row, close together, and one far away.
  const figure = live(4, (f) => {
    f.arrays['x'] = wire([0, 0.1, 0.2, 1]);
    f.arrays['z'] = wire([1, 1, 1, 3]);
    f.texts!['names'] = { shape: [4], values: ['first', 'second', 'third', 'far'] };
    f.scatter!.views = [{ name: 'plane', label: '', help: '', x: { values: 'x', scale: 's' }, y: { values: 'z', scale: 'z' } }];
  });
  const at = scatter.layout(figure, room(500, { chosen: plane }));
  const { ctx, only } = canvas();
  draw(ctx, figure, at, view({ chosen: plane }));
  const labels = only('strokeText').map((d) => ({ text: String(d.args[0]), x: Number(d.args[1]), y: Number(d.args[2]), w: measure(String(d.args[0])) }));
  expect(labels.map((l) => l.text)).toContain('far');
  labels.forEach((l, i) => {
    const others = labels.slice(i + 1).filter((o) => l.x < o.x + o.w && o.x < l.x + l.w && Math.abs(l.y - o.y) < 12);
    expect(others, l.text).toEqual([]);
  });
  const covered = labels.filter((l) => at.places.some((p) => p.x > l.x && p.x < l.x + l.w && Math.abs(p.y - l.y) < 5));
  expect(covered.map((l) => l.text)).toEqual([]);
});

describe('a plane that is enlarged', () => {
  const enlarged = (x: number, kind: 'linear' | 'log', reverse = false) => {
    const figure = live(12, (f) => {
      f.scales!['s'] = { ...f.scales!['s']!, kind, lo: 1, hi: 100, reverse };
    });
    return scatter.layout(figure, room(500, { chosen: plane, pose: { azimuth: 0, elevation: 0, zoom: 2, x, y: 0 } }));
  };
  const limits = (at: scatter.ScatterLayout) => [at.xScale.lo, at.xScale.hi].map((v) => Math.round(100 * v) / 100);

  it('has the middle half of its axis in view, by ratios on a logarithm', () => {
    expect(limits(enlarged(0, 'linear'))).toEqual([25.75, 75.25]);
    expect(limits(enlarged(0, 'log'))).toEqual([3.16, 31.62]);
  });

  it('moved to the right shows the low end, of a reversed axis the high one', () => {
    expect(limits(enlarged(0.25, 'log'))).toEqual([1, 10]);
    expect(limits(enlarged(0.25, 'log', true))).toEqual([10, 100]);
  });

  it('has no point under the pointer that has gone out of it', () => {
    const at = scatter.layout(live(), room(500, { chosen: plane, pose: { azimuth: 0, elevation: 0, zoom: 8, x: 0, y: 0 } }));
    const out = at.places.findIndex((p) => p.x < at.plot.x - 20 || p.x > at.plot.x + at.plot.w + 20 || p.y < at.plot.y - 20);
    const p = at.places[out]!;
    expect(scatter.hit(at, p.x, p.y)).toBeNull();
  });
});
