// The mark of a series at a point.
import type { Mark } from './colour';
import type { View } from './painter';

export function drawMark(ctx: CanvasRenderingContext2D, x: number, y: number, mark: Mark, colour: string, view: View): void {
  if (mark === 'none') return;
  const r = 3;
  ctx.beginPath();
  if (mark === 'disc' || mark === 'ring') ctx.arc(x, y, r, 0, 2 * Math.PI);
  else if (mark === 'square') ctx.rect(x - r, y - r, 2 * r, 2 * r);
  else if (mark === 'cross') {
    ctx.moveTo(x - r, y - r);
    ctx.lineTo(x + r, y + r);
    ctx.moveTo(x + r, y - r);
    ctx.lineTo(x - r, y + r);
  } else {
    ctx.moveTo(x, y - r - 1);
    ctx.lineTo(x + r + 1, mark === 'diamond' ? y : y + r);
    if (mark === 'diamond') ctx.lineTo(x, y + r + 1);
    ctx.lineTo(x - r - 1, mark === 'diamond' ? y : y + r);
    ctx.closePath();
  }
  ctx.fillStyle = mark === 'ring' ? view.inks.card : colour;
  if (mark !== 'cross') ctx.fill();
  ctx.lineWidth = 1.5;
  ctx.strokeStyle = colour;
  ctx.stroke();
}
