import { expect, it } from 'vitest';
import { encodeFloats } from './encode.fixture';
import { decodeBytes, decodeFloats } from './floats';

it('reads little-endian float32', () => {
  // 1.5, -2 and NaN as Go's EncodeFloats writes them.
  expect([...decodeFloats('AADAPwAAAMAAAMB/')]).toEqual([1.5, -2, NaN]);
  expect([...decodeFloats('AACAfwAAgP8=')]).toEqual([Infinity, -Infinity]);
  expect(decodeFloats('')).toHaveLength(0);
});

it('writes what it reads', () => {
  const values = [0, -0, 1e-38, 3.4e38, NaN, Infinity, 0.1];
  const back = decodeFloats(encodeFloats(values));
  values.forEach((v, i) => expect(Object.is(back[i], Math.fround(v))).toBe(true));
});

it.each([
  ['bytes that are no floats', 'AAAA', /3 bytes/],
  ['text that is no base64', 'é!', /base64/],
])('refuses %s', (_, text, why) => {
  expect(() => decodeFloats(text)).toThrow(why);
});

it('reads bytes', () => {
  expect([...decodeBytes('AAEC')]).toEqual([0, 1, 2]);
});
