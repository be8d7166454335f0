import { describe, expect, it } from 'vitest';
import type { Pose } from './painter';
import { ZOOM, draggedTurn, shifted, turned, turner, zoomed, type Point } from './pose';

const rest: Pose = { azimuth: 0, elevation: 0, zoom: 1, x: 0, y: 0 };
const points: Point[] = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [-0.3, 0.8, 0.4], [0.9, -0.9, -1]];

describe.each([[0, 0], [37, 21], [-120, 80], [359, -90]])('turned by %d, %d', (azimuth, elevation) => {
  const turn = turner({ azimuth, elevation });

  it('keeps every distance', () => {
    for (const p of points) {
      for (const q of points) {
        const [a, b] = [turn(p), turn(q)];
        const seen = Math.hypot(a.right - b.right, a.up - b.up, a.depth - b.depth);
        expect(Math.abs(seen - Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]))).toBeLessThan(1e-12);
      }
    }
  });

  it('does not mirror', () => {
    const [x, y, z] = points.slice(0, 3).map((p) => {
      const s = turn(p);
      return [s.right, s.depth, s.up] as const;
    }) as [Point, Point, Point];
    const determinant = x[0] * (y[1] * z[2] - y[2] * z[1]) - x[1] * (y[0] * z[2] - y[2] * z[0]) + x[2] * (y[0] * z[1] - y[1] * z[0]);
    expect(determinant).toBeCloseTo(1, 12);
  });
});

// The signs of viz.Scatter, which the exported picture has too.
it.each([
  ['x to the right at rest', 0, 0, [1, 0, 0], [1, 0, 0]],
  ['y away at rest', 0, 0, [0, 1, 0], [0, 0, 1]],
  ['z up at rest', 0, 0, [0, 0, 1], [0, 1, 0]],
  ['x away after a quarter turn', 90, 0, [1, 0, 0], [0, 0, 1]],
  ['y to the left after a quarter turn', 90, 0, [0, 1, 0], [-1, 0, 0]],
  ['y up from above', 0, 90, [0, 1, 0], [0, 1, 0]],
  ['z near from above', 0, 90, [0, 0, 1], [0, 0, -1]],
] as [string, number, number, Point, Point][])('sees %s', (_, azimuth, elevation, p, want) => {
  const { right, up, depth } = turner({ azimuth, elevation })(p);
  expect(right).toBeCloseTo(want[0], 12);
  expect(up).toBeCloseTo(want[1], 12);
  expect(depth).toBeCloseTo(want[2], 12);
});

it('follows the hand: what is near goes where the pointer goes', () => {
  const near: Point = [0, -1, 0];
  const seen = (pose: Pose) => turner(pose)(near);
  expect(seen(draggedTurn(rest, 10, 0)).right).toBeGreaterThan(0);
  expect(seen(draggedTurn(rest, 0, 10)).up).toBeLessThan(0);
});

it('never turns over the top', () => {
  expect(turned(rest, 0, 500).elevation).toBe(90);
  expect(turned(rest, -30, -500)).toMatchObject({ azimuth: 330, elevation: -90 });
});

it('zooms within limits, and back', () => {
  expect(zoomed(zoomed(rest, 3), -3).zoom).toBeCloseTo(1, 12);
  expect(zoomed(rest, 99).zoom).toBe(ZOOM.most);
  expect(zoomed(rest, -99).zoom).toBe(ZOOM.least);
});

it('moves an enlarged plane by less, and never out of sight', () => {
  expect(shifted({ ...rest, zoom: 4 }, 0.2, 0).x).toBeCloseTo(0.05, 12);
  expect(shifted(rest, 9, -9)).toMatchObject({ x: 0.5, y: -0.5 });
});
