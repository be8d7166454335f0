import { expect, it } from 'vitest';
import { drawGuides } from './guide';
import type { View } from './painter';

const measure = (text: string) => 6 * text.length;
const scale = { kind: 'linear' as const, lo: 0, hi: 40, label: 'heads', unit: '', format: '%.0f' };
const plot = { x: 50, y: 28, w: 400, h: 200 };
const guides = [
  { x: 8, label: '70 %' },
  { x: 9, label: '80 %' },
  { x: 40, label: '95, 99 %' },
  { x: 41, label: 'beyond' },
];

/** What is drawn: labels with where they stand, and the x of lines down the plot. */
function drawn(mini: boolean) {
  const texts: { text: string; x: number }[] = [];
  const lines: number[] = [];
  let from = { x: 0, y: 0 };
  const ctx = {
    setLineDash: () => {},
    beginPath: () => {},
    stroke: () => {},
    moveTo: (x: number, y: number) => (from = { x, y }),
    lineTo: (x: number, y: number) => void (x === from.x && y > from.y && lines.push(x)),
    fillText: (text: string, x: number) => void texts.push({ text, x }),
  };
  drawGuides(ctx as unknown as CanvasRenderingContext2D, plot, guides, scale, { inks: {} } as View, measure, mini);
  return { texts, lines };
}

it('draws a line a guide within the axis, with labels apart in their order', () => {
  const { texts, lines } = drawn(false);
  expect(lines).toEqual([130.5, 140.5, 450.5]);
  expect(texts.map((t) => t.text)).toEqual(['70 %', '80 %', '95, 99 %']);
  expect(texts[1]!.x - texts[0]!.x).toBeGreaterThanOrEqual(24);
  expect(texts[2]!.x + 24).toBeLessThanOrEqual(plot.x + plot.w + 12);
});

it('leaves the labels out of a small plot', () => {
  expect(drawn(true)).toEqual({ texts: [], lines: [130.5, 140.5, 450.5] });
});
