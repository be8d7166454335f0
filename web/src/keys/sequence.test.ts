import { describe, expect, it } from 'vitest';
import { COMMANDS, keyLabel } from './commands';
import { KeyReader, nameOf, type Stroke } from './sequence';

const stroke = (key: string, mods = ''): Stroke => ({
  key,
  ctrlKey: mods.includes('c'),
  metaKey: mods.includes('m'),
  shiftKey: mods.includes('s'),
  altKey: mods.includes('a'),
});

it.each([
  [stroke('j'), false, 'J'],
  [stroke('Z', 's'), false, 'Shift+Z'],
  [stroke('?', 's'), false, '?'],
  [stroke('Enter', 'c'), false, 'Mod+Enter'],
  [stroke('Enter', 'm'), true, 'Mod+Enter'],
  [stroke('Enter', 'c'), true, 'Ctrl+Enter'],
  [stroke('C', 'cs'), false, 'Mod+Shift+C'],
  [stroke('ArrowUp', 'cs'), false, 'Mod+Shift+ArrowUp'],
])('names %o', (s, mac, want) => {
  expect(nameOf(s, mac)).toBe(want);
});

describe('in command mode', () => {
  it.each([
    ['a', '', 'insert-above'],
    ['b', '', 'insert-below'],
    ['z', '', 'undo'],
    ['Z', 's', 'redo'],
    ['y', '', 'to-code'],
    ['m', '', 'to-markdown'],
    ['ArrowDown', '', 'next'],
    ['k', '', 'previous'],
    ['Enter', '', 'edit'],
    ['Enter', 's', 'run-next'],
    ['Enter', 'c', 'run'],
    ['Enter', 'cs', 'run-anew'],
    ['Enter', 'a', 'run-insert'],
    ['R', 's', 'run-stale'],
    ['k', 'c', 'palette'],
    ['s', 'c', 'save'],
    ['?', 's', 'keys'],
    ['M', 's', 'merge'],
    ['2', '', 'heading-2'],
    ['_', 'cs', null],
    ['q', '', null],
  ])('%s %s is %s', (key, mods, want) => {
    expect(new KeyReader(false).read(stroke(key, mods), false, 0)).toBe(want);
  });

  it('takes two strokes in a row, not too far apart', () => {
    const keys = new KeyReader(false);
    expect([keys.read(stroke('d'), false, 0), keys.read(stroke('d'), false, 300)]).toEqual([null, 'delete']);
    expect([keys.read(stroke('d'), false, 1000), keys.read(stroke('d'), false, 3000)]).toEqual([null, null]);
    expect([keys.read(stroke('i'), false, 5000), keys.read(stroke('d'), false, 5100), keys.read(stroke('d'), false, 5200)]).toEqual([
      null,
      null,
      'delete',
    ]);
  });
});

describe('in the editor', () => {
  it.each([
    ['a', '', null],
    ['d', '', null],
    ['Escape', '', 'leave'],
    ['m', 'c', 'leave'],
    ['Enter', '', null],
    ['Enter', 's', 'run-next'],
    ['k', 'c', 'palette'],
  ])('%s %s is %s', (key, mods, want) => {
    expect(new KeyReader(false).read(stroke(key, mods), true, 0)).toBe(want);
  });
});

it('has no key twice in one mode', () => {
  for (const mode of ['command', 'edit']) {
    const keys = COMMANDS.filter((c) => c.mode === 'any' || c.mode === mode).flatMap((c) => c.keys);
    expect(keys).toEqual([...new Set(keys)]);
  }
});

it('writes keys as readers know them', () => {
  expect([keyLabel('Mod+Shift+C', true), keyLabel('Mod+Shift+C', false), keyLabel('D D', false)]).toEqual(['⌘ ⇧ C', 'Ctrl ⇧ C', 'D D']);
});
