import { expect, it } from 'vitest';
import type { Tokens } from '../api/types.gen';
import { resolved } from './choices';
import { Kept, Memory } from './memory';

function store(text: string | null = null) {
  return { text, getItem: () => text, setItem(_: string, next: string) { text = next; }, get now() { return text; } };
}

const tokens = (show: string, ...names: string[]) =>
  ({ tokens: { show, metrics: names.map((name) => ({ name, label: name, help: '', values: name, scale: name })) } as unknown as Tokens });

it('keeps a choice over runs and loads, as long as the figure has it', () => {
  const disk = store();
  new Kept(new Memory(disk), 'k').choose(tokens('prob', 'prob', 'rank'), { show: 'rank', colour: '' });
  const again = new Kept(new Memory(store(disk.now)), 'k');
  expect(resolved(tokens('prob', 'prob', 'rank'), again.choiceOf(tokens('prob', 'prob', 'rank'))).show).toBe('rank');
  const without = tokens('prob', 'prob', 'kl');
  expect(resolved(without, again.choiceOf(without)).show).toBe('prob');
  expect(resolved(tokens('prob', 'prob', 'rank'), again.choiceOf(tokens('prob', 'prob', 'rank'))).show).toBe('rank');
  expect(new Kept(new Memory(store(disk.now)), 'other').held).toEqual({});
});

it('gives way to a call that asks for another view itself', () => {
  const kept = new Kept(new Memory(store()), 'k');
  kept.choose(tokens('prob', 'prob', 'rank', 'kl'), { show: 'rank', colour: 'x' });
  const asked = tokens('kl', 'prob', 'rank', 'kl');
  expect(kept.choiceOf(asked)).toEqual({ show: '', colour: 'x' });
});

it('reads no nonsense, forgets the oldest, and lives with a full disk', () => {
  for (const text of ['{', '7', '[1, ["k"], ["k", null], [2, {}]]']) expect(new Memory(store(text)).read('k')).toEqual({});
  expect(new Kept(new Memory(store('[["k", {"choice": {"show": 3}}]]')), 'k').choiceOf(tokens('a', 'a'))).toEqual({ show: '', colour: '' });
  const full = new Memory({ getItem: () => null, setItem: () => { throw new Error('full'); } });
  for (let i = 0; i <= 300; i++) full.write(`k${i}`, { frame: String(i) });
  expect([full.read('k0'), full.read('k300')]).toEqual([{}, { frame: '300' }]);
  full.write('k5', { order: { column: 'a', down: true } });
  expect(full.read('k5')).toEqual({ frame: '5', order: { column: 'a', down: true } });
});
