// A canvas at device pixels, redrawn at most once a frame.
import type { Measure } from './painter';

/** Text widths in one canvas, remembered. */
export function createMeasure(ctx: CanvasRenderingContext2D): Measure {
  const widths = new Map<string, number>();
  return (text, font) => {
    const key = `${font}\n${text}`;
    let width = widths.get(key);
    if (width === undefined) {
      ctx.font = font;
      width = ctx.measureText(text).width;
      widths.set(key, width);
    }
    return width;
  };
}

/** Sizes a canvas to CSS pixels at the screen's resolution and clears it. */
export function prepare(canvas: HTMLCanvasElement, ctx: CanvasRenderingContext2D, width: number, height: number): void {
  const ratio = devicePixelRatio || 1;
  const w = Math.round(width * ratio);
  const h = Math.round(height * ratio);
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
}

/** Loads the fonts that figures write in; resolves at once when they are there. */
export async function figureFonts(): Promise<void> {
  const faces = ['12px Inter', '600 12px Inter', '13px "JetBrains Mono"'];
  await Promise.all(faces.map((f) => document.fonts.load(f))).catch(() => undefined);
}

/** True when the reader asked for no motion. */
export function still(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}
