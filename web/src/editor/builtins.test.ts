import { expect, it } from 'vitest';
import go from '../../../server/script/builtins.go?raw';
import { BUILTINS } from './builtins';

it('says of each name what the interpreter says', () => {
  const text = String.raw`("(?:[^"\\]|\\.)*"|${'`'}[^${'`'}]*${'`'})`;
  const rows = go.matchAll(new RegExp(String.raw`\{(?:Builtin\{)?${text}, ${text}, ${text}\}`, 'g'));
  const plain = (s: string) => (s.startsWith('`') ? s.slice(1, -1) : (JSON.parse(s) as string));
  const want = [...rows].map(([, name, call, help]) => ({ name: plain(name!), call: plain(call!), help: plain(help!) }));
  expect(want.length).toBeGreaterThan(30);
  expect(BUILTINS).toEqual(want);
});
