// How far a run is, in words.
import type { Progress } from '../api/types.gen';
import { count, seconds } from './format';

/** "120 / 400 prompts · 3 s left"; all counted it is still to draw together what it found. */
export function progressText({ done, total, unit, eta_millis }: Progress): string {
  const amount = `${count(done)} / ${count(total)} ${unit}`;
  if (total > 0 && done >= total) return `${amount} · finishing`;
  if (eta_millis < 0) return amount;
  return `${amount} · ${eta_millis < 1000 ? 'under 1 s' : seconds(eta_millis)} left`;
}
