import { expect, it } from 'vitest';
import { captionOf, typeset } from './caption';

it('sets how it was measured apart from what it says', () => {
  expect(captionOf('With this window faithfulness is 100.0 % ± 0.0. Prompts: 60 of 62, such as "62-91="; 2 dropped. Means: every prompt. The 1,060 edited runs computed 420 of 1,800.')).toEqual({
    says: 'With this window faithfulness is 100.0 % ± 0.0.',
    method: 'Prompts: 60 of 62, such as "62-91="; 2 dropped. Means: every prompt. The 1,060 edited runs computed 420 of 1,800.',
  });
  expect(captionOf('Prompts: 3 of 3. The smallest window is 2. Activations: 0.5 of 1.')).toEqual({
    says: 'The smallest window is 2.',
    method: 'Prompts: 3 of 3. Activations: 0.5 of 1.',
  });
  expect(captionOf('')).toEqual({ says: '', method: '' });
  expect(captionOf('R² is 0.5 in layer 2. It is low.').says).toBe('R² is 0.5 in layer 2. It is low.');
});

it.each([
  ['logit -13.99 (-1, -.5), "62-91=" and w-2', 'logit −13.99 (−1, −.5), "62-91=" and w-2'],
  ['a loss of 2.8e-07, -2.1e-06', 'a loss of 2.8e−7, −2.1e−6'],
  ['1.67e-24 and 1e-10', '1.67e−24 and 1e−10'],
  ['17.5 % of 3 %', '17.5\u00a0% of 3\u00a0%'],
  ['40.4 ± 1.8 (n = 50, R² 0.722, R² -0.2)', '40.4\u00a0±\u00a01.8 (n\u00a0=\u00a050, R²\u00a00.722, R²\u00a0−0.2)'],
  ['r = P(91), attn + mlp', 'r\u00a0=\u00a0P(91), attn + mlp'],
  ['waves of a + b = c, 34 + 57 at k = 8', 'waves of a\u00a0+\u00a0b\u00a0=\u00a0c, 34\u00a0+\u00a057 at k\u00a0=\u00a08'],
])('typesets %s', (text, want) => expect(typeset(text)).toBe(want));
