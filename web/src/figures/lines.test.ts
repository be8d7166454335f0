import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Figure, Series } from '../api/types.gen';
import { BoxPath, canvas, view } from './canvas.fixture';
import { linear, room, slider, wire } from './figures.fixture';
import * as lines from './lines';
import { BLANK, DONE, LiveFigure, PENDING } from './live';

beforeEach(() => vi.stubGlobal('Path2D', BoxPath));

const states = (...of: number[]) => btoa(String.fromCharCode(...of));
const [P, D, B] = [PENDING, DONE, BLANK];
const NAMES = ['mean', 'control'];

/** Curves over x = 0..4, each with its values and, where it has some, states and errors. */
function curves(of: { y: number[]; state?: string; errors?: number[]; errorState?: string }[], more: Partial<Figure> = {}): LiveFigure {
  const arrays: NonNullable<Figure['arrays']> = { x: wire([0, 1, 2, 3, 4]) };
  const series: Series[] = of.map(({ y, state, errors, errorState }, i) => {
    arrays[`y${i}`] = { ...wire(y), state };
    if (errors) arrays[`e${i}`] = { ...wire(errors), state: errorState };
    return { name: NAMES[i]!, y: `y${i}`, ...(errors && { errors: `e${i}` }) };
  });
  return new LiveFigure({
    kind: 'lines',
    title: 'Loss',
    subtitle: '',
    provenance: {},
    lines: { x: 'x', x_scale: 'sx', y_scale: 'sy', series, rule: more.slider !== undefined },
    arrays,
    scales: { sx: linear(0, 4, 'layer'), sy: linear(0, 8, 'effect') },
    ...more,
  });
}

const flat = [4, 4, 4, 4, 4];
const at = (figure: LiveFigure, width = 900) => lines.layout(figure, room(width));

/** The boxes that a drawing hatches. */
function hatched(figure: LiveFigure) {
  const { ctx, drawn } = canvas();
  lines.draw(ctx, figure, at(figure), view());
  return drawn.filter((d) => d.op === 'clip' && d.args[0] instanceof BoxPath).flatMap((d) => (d.args[0] as BoxPath).boxes);
}

/** The points of the curves as they are drawn, a list each time that the pen is put down. */
function strokes(figure: LiveFigure, colour: string) {
  const { ctx, drawn } = canvas();
  lines.draw(ctx, figure, at(figure), view());
  const out: number[][] = [];
  for (const d of drawn) {
    if (d.line !== colour) continue;
    if (d.op === 'moveTo') out.push([d.args[0] as number]);
    else if (d.op === 'lineTo') out.at(-1)?.push(d.args[0] as number);
  }
  return out;
}

describe('what is not computed yet', () => {
  const waiting = curves([{ y: [1, 0, 0, 3, 5], state: states(D, P, P, D, B) }, { y: flat, state: states(D, D, P, D, D) }]);
  const { plot, xs, ys } = at(waiting);

  it('has no place, and neither has what does not exist', () => {
    expect(ys[0]!.map(Number.isFinite)).toEqual([true, false, false, true, false]);
    expect(ys[1]!.map(Number.isFinite)).toEqual([true, true, false, true, true]);
  });

  it('is said, and what does not exist otherwise', () => {
    expect([1, 3, 4].map((col) => lines.read(waiting, { panel: 0, row: 0, col }).value)).toEqual(['not computed yet', '3.00', 'does not exist']);
    expect(lines.read(waiting, { panel: 0, row: 0, col: 2 }).facts).toEqual([{ name: 'control', value: 'not computed yet' }]);
  });

  it('is hatched where no curve has a number, from the number before to the one behind', () => {
    expect(hatched(waiting)).toEqual([{ ...plot, x: xs[1], w: xs[3]! - xs[1]! }]);
  });

  it('is hatched from end to end while nothing is there, and once for a run of places', () => {
    const all = curves([{ y: flat, state: states(P, P, P, P, P) }]);
    expect(hatched(all)).toEqual([at(all).plot]);
    const two = curves([{ y: flat, state: states(P, D, D, D, P) }]);
    const { plot: p, xs: x } = at(two);
    expect(hatched(two)).toEqual([{ ...p, w: x[1]! - p.x }, { ...p, x: x[3], w: p.x + p.w - x[3]! }]);
  });

  it('is not hatched where a number is blank, nor once all are there', () => {
    expect(hatched(curves([{ y: flat, state: states(D, B, B, D, D) }]))).toEqual([]);
    expect(hatched(curves([{ y: flat }]))).toEqual([]);
  });

  it('breaks the curve', () => {
    const broken = curves([{ y: [1, 2, 0, 3, NaN], state: states(D, D, P, D, D) }]);
    const { xs: x } = at(broken);
    expect(strokes(broken, '#8a6116').filter((s) => s.every((v) => x.includes(v)))).toEqual([[x[0], x[1]], [x[3]]]);
  });

  it('has no whisker and no interval in words', () => {
    const errors = [1, 1, 1, 1, 1];
    const some = curves([{ y: flat, errors, state: states(D, P, D, D, D), errorState: states(D, D, P, D, D) }]);
    // Each whisker has two caps of six pixels.
    const caps = strokes(some, '#8a6116').filter((s) => s.length === 2 && s[1]! - s[0]! === 6);
    expect(caps.map((s) => s[0]! + 3)).toEqual([0, 0, 3, 3, 4, 4].map((i) => at(some).xs[i]));
    const facts = (col: number) => lines.read(some, { panel: 0, row: 0, col }).facts.map((f) => f.name);
    expect([0, 1, 2].map(facts)).toEqual([['standard error'], [], []]);
  });

  it('leaves a gap in the names\' heights, which hold to the last number', () => {
    const { ctx, only } = canvas();
    lines.draw(ctx, waiting, at(waiting), view());
    const name = only('fillText').find((d) => d.args[0] === 'mean')!;
    expect(name.args[2]).toBeCloseTo(ys[0]![3]! + 0.5, 6);
  });
});

it('takes the nearest number to the pointer, never one that is missing', () => {
  const some = curves([{ y: [NaN, 8, 8, 8, 8] }, { y: [0, 0, NaN, 0, 0] }]);
  const layout = at(some);
  const top = layout.plot.y + 5;
  expect(lines.hit(layout, layout.xs[0]! + 3, top)).toEqual({ panel: 0, row: 1, col: 0 });
  expect(lines.hit(layout, layout.xs[1]! + 3, top)).toEqual({ panel: 0, row: 0, col: 1 });
  expect(lines.hit(layout, layout.xs[2]! + 3, layout.plot.y + layout.plot.h - 5)).toEqual({ panel: 0, row: 0, col: 2 });
  expect(lines.hit(layout, layout.plot.x - 11, top)).toBeNull();
  expect(lines.hit(layout, layout.xs[2]!, layout.plot.y + layout.plot.h + 21)).toBeNull();
  expect(lines.box(layout, { panel: 0, row: 1, col: 2 })).toEqual({ x: layout.xs[2]! - 6, y: layout.plot.y - 6, w: 12, h: 12 });
});

it('begins at the last place and the first curve; up is the curve before', () => {
  const layout = at(curves([{ y: flat }, { y: flat }]));
  expect(lines.step(layout, null, 0, 0)).toEqual({ panel: 0, row: 0, col: 4 });
  expect(lines.step(layout, { panel: 0, row: 1, col: 2 }, 0, 1)).toEqual({ panel: 0, row: 0, col: 2 });
  expect(lines.step(layout, { panel: 0, row: 1, col: 2 }, -1, -1)).toEqual({ panel: 0, row: 1, col: 1 });
});

it('stands higher where the value is greater, and names its axes', () => {
  const figure = curves([{ y: [0, 2, 4, 6, 8] }]);
  const layout = at(figure);
  const shares = layout.ys[0]!.map((y) => 1 - (y - layout.plot.y) / layout.plot.h);
  expect(shares).toEqual([0, 0.25, 0.5, 0.75, 1].map((v) => expect.closeTo(v, 9)));
  const { ctx, texts } = canvas();
  lines.draw(ctx, figure, layout, view());
  expect(texts()).toEqual(expect.arrayContaining(['effect', 'layer', '0', '8', 'mean']));
});

it('is faint behind the slider\'s rule and strong before it', () => {
  const figure = curves([{ y: flat }], { slider: slider(5, [], { values: 'x', show: 2 }) });
  const layout = at(figure);
  const { ctx, drawn } = canvas();
  lines.draw(ctx, figure, layout, view());
  const clips = drawn.filter((d) => d.op === 'rect').map((d) => ({ from: d.args[0] as number, to: (d.args[0] as number) + (d.args[2] as number), alpha: d.alpha }));
  expect(clips).toEqual([
    { from: layout.plot.x - 5, to: layout.xs[2], alpha: 1 },
    { from: layout.xs[2], to: expect.closeTo(layout.plot.x + layout.plot.w + 5, 6), alpha: 0.4 },
  ]);
});
