import { expect, it } from 'vitest';
import { encodeFloats } from '../api/encode.fixture';
import type { Panel } from '../api/types.gen';
import { LiveFigure } from './live';
import { histogram, openingOf, pairsOf, typical } from './pairs';

const panel: Panel = {
  title: '',
  rows: { name: 'layer', labels: ['0', '1'] },
  columns: { name: 'head', labels: ['0', '1'] },
  values: 'v',
  each: 'v_each',
  open: {
    call: 'patch_lens({model}, {pair}, patches=[{row}])',
    pairs: ['clean="{model}+1=", corrupted="2+1="', 'clean="3+1=", corrupted="4+1="', 'clean="5+1=", corrupted="6+1="'],
    rows: ['patch("z0"{column})', '[patch("z0"{column}), patch("z1"{column})]'],
    columns: [', heads=0', ', heads=1'],
  },
};

function figure(state?: string): LiveFigure {
  const zeros = { shape: [2, 2], axes: ['layer', 'head'], f32: encodeFloats([0, 0, 0, 0]) };
  const pairs = { shape: [2, 2, 3], axes: ['layer', 'head', 'pair'], f32: encodeFloats([0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 5, 3.5]), state };
  return new LiveFigure({
    kind: 'heatmap',
    title: 'E',
    subtitle: '',
    heatmap: { panels: [panel], scale: 's' },
    arrays: { v: zeros, v_each: pairs },
    scales: {},
    provenance: {},
  });
}

it('opens the pair that is nearest to the mean, its prompts as they are', () => {
  const pairs = pairsOf(figure(), panel, 3, '%.2f');
  expect(pairs?.mean).toBeCloseTo(9.5 / 3);
  expect(typical(pairs)).toBe(2);
  const open = openingOf(panel, 1, 1, pairs)!;
  expect(open.call('m', '')).toBe('patch_lens(m, clean="5+1=", corrupted="6+1=", patches=[[patch("z0", heads=1), patch("z1", heads=1)]])');
  expect(open.prompts).toBe('5+1= into 6+1= · pair 3 of 3, the nearest to the mean');
  expect(openingOf(panel, 0, 0, undefined)!.call('$&', '')).toBe('patch_lens($&, clean="{model}+1=", corrupted="2+1=", patches=[patch("z0", heads=0)])');
  const sets = { ...panel, open: { ...panel.open!, call: 'patch_lens({model}, {pair}, prompts={prompts})' } };
  expect(openingOf(sets, 0, 0, pairs)!.call('m', 'prompts("{model}{pair}")')).toBe('patch_lens(m, clean="5+1=", corrupted="6+1=", prompts=prompts("{model}{pair}"))');
  expect(openingOf({ ...panel, open: undefined }, 0, 0, pairs)).toBeUndefined();
  // A single prompt is no pair.
  const single = { ...panel, open: { ...panel.open!, pairs: ['clean="3+1="', 'clean="5+1="', 'clean="7+1=", answer="8", other="9"'] } };
  expect(openingOf(single, 1, 1, pairs)!.prompts).toBe('7+1= · prompt 3 of 3, the nearest to the mean');
  expect(pairsOf(figure(), single, 3, '%.2f')?.of).toBe('prompt');
  expect(pairsOf(figure(), panel, 3, '%.2f')?.of).toBe('pair');
});

it('has no pairs before they are computed', () => {
  expect(pairsOf(figure(btoa('\x01'.repeat(11) + '\0')), panel, 3, '%.2f')).toBeUndefined();
  expect(pairsOf(figure(btoa('\x01'.repeat(11) + '\0')), panel, 0, '%.2f')?.values).toEqual([0, 0, 0]);
});

it('counts values between limits that hold 0', () => {
  expect(histogram([1, 2, 2, 4], 4)).toEqual({ lo: 0, hi: 4, counts: [0, 1, 2, 1] });
  expect(histogram([0, 0], 2)).toEqual({ lo: -0.5, hi: 0.5, counts: [0, 2] });
});
