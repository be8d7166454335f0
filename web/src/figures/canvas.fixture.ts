// A canvas for tests that keeps what was drawn on it instead of drawing.
import { inks, type Theme } from './colour';
import { chosen } from './figures.fixture';
import type { Box, View } from './painter';

/** One call of the canvas, with the state that it was made in. */
export interface Stroke {
  op: string;
  args: unknown[];
  fill: string;
  line: string;
  alpha: number;
}

/** A path that keeps its rectangles. */
export class BoxPath {
  readonly boxes: Box[] = [];
  rect(x: number, y: number, w: number, h: number): void {
    this.boxes.push({ x, y, w, h });
  }
  roundRect(x: number, y: number, w: number, h: number): void {
    this.boxes.push({ x, y, w, h });
  }
  moveTo(): void {}
  lineTo(): void {}
}

/** A canvas and what it was asked for; Path2D is to be stubbed by BoxPath where paths are drawn. */
export function canvas() {
  const drawn: Stroke[] = [];
  const state: Record<string, unknown> = { fillStyle: '', strokeStyle: '', globalAlpha: 1 };
  const kept: Record<string, unknown>[] = [];
  const ctx = new Proxy(state, {
    get: (_, op: string) => {
      if (op in state) return state[op];
      return (...args: unknown[]) => {
        if (op === 'save') kept.push({ ...state });
        if (op === 'restore') Object.assign(state, kept.pop());
        drawn.push({ op, args, fill: String(state['fillStyle']), line: String(state['strokeStyle']), alpha: Number(state['globalAlpha']) });
      };
    },
  }) as unknown as CanvasRenderingContext2D;
  const only = (op: string) => drawn.filter((d) => d.op === op);
  /** The texts that were written, from the first. */
  const texts = () => only('fillText').map((d) => String(d.args[0]));
  return { ctx, drawn, only, texts };
}

export const view = (more: Partial<View> = {}, theme: Theme = 'light'): View => ({
  theme,
  inks: inks(theme),
  chosen,
  spot: null,
  locked: false,
  from: -1e6,
  to: 1e6,
  now: Infinity,
  ...more,
});
