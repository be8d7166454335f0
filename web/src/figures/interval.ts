// The interval of 95 % of a mean, as viz.Interval.
import type { Interval } from '../api/types.gen';
import { format } from './format';

/** The ends of a mean's interval; without one they are one standard error down and up. */
export function endsOf(interval: Interval | undefined, mean: number, error: number): [number, number] {
  if (!interval) return [mean - error, mean + error];
  const { kind, n, times: z } = interval;
  if (kind === 't') return [mean - z * error, mean + z * error];
  const middle = mean + (z * z) / (2 * n);
  const half = z * Math.sqrt((mean * (1 - mean)) / n + (z * z) / (4 * n * n));
  const [lo, hi] = [(middle - half) / (1 + (z * z) / n), (middle + half) / (1 + (z * z) / n)];
  // Rounding at 0 and 1.
  return [Math.max(0, Math.min(lo, mean)), Math.min(1, Math.max(hi, mean))];
}

/** What is drawn around means, in words. */
export function intervalWords(interval: Interval | undefined): string {
  if (!interval) return 'one standard error';
  return interval.kind === 'wilson' ? `95 % Wilson score interval, n = ${interval.n}` : `95 % interval by Student's t, n = ${interval.n}`;
}

/** The facts of a mean with an error: its interval, where there is one, and its standard error. */
export function errorFacts(interval: Interval | undefined, mean: number, error: number, as: string, unit = ''): { name: string; value: string }[] {
  const say = (v: number) => format(as, v);
  const facts = [{ name: 'standard error', value: say(error) + unit }];
  if (!interval || !Number.isFinite(mean)) return facts;
  const [lo, hi] = endsOf(interval, mean, error);
  return [{ name: '95 % interval', value: `${say(lo)} to ${say(hi)}${unit}` }, ...facts];
}
