import { expect, it } from 'vitest';
import { progressText } from './progress';

it.each([
  [120, 4000, 12_400, '120 / 4,000 prompts · 12 s left'],
  [3999, 4000, 40, '3,999 / 4,000 prompts · under 1 s left'],
  [1, 4000, -1, '1 / 4,000 prompts'],
  [4000, 4000, 0, '4,000 / 4,000 prompts · finishing'],
  [0, 0, -1, '0 / 0 prompts'],
])('says %d of %d with %d ms to go', (done, total, eta_millis, want) => {
  expect(progressText({ job: 'j', done, total, unit: 'prompts', label: '', eta_millis })).toBe(want);
});
