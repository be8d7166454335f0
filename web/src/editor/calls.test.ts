import { describe, expect, it } from 'vitest';
import { addElement, addPatches, dropArg, dropElement, elements, findCalls, modelArg, named, promptsArg, sameRuns, setArg, showTries } from './calls';

const P = 'patch("blocks.0.hook_resid_post", at=1)';
const Q = 'patch("blocks.3.hook_resid_post", at=2)';

describe('calls in a source', () => {
  it('finds arguments between strings, comments and brackets', () => {
    const source = `# patch_lens(no)\nx = "patch_lens(no)"\np = patch_lens(m, clean="a,(b", # why, really?\n  patches=[f(1, 2), {"k": [3]}], top_k = 4)`;
    const [call, ...more] = findCalls(source, 'patch_lens');
    expect(more).toEqual([]);
    expect(call!.args.map((a) => [a.name, a.text])).toEqual([
      ['', 'm'],
      ['clean', '"a,(b"'],
      ['patches', '[f(1, 2), {"k": [3]}]'],
      ['top_k', '4'],
    ]);
    expect(source.slice(call!.from, call!.to)).toMatch(/^patch_lens\(m[^]*4\)$/);
  });

  it.each([
    ['a method', 'x.patch_lens(m)', 0],
    ['a longer name', 'my_patch_lens(m)', 0],
    ['a call that does not close', 'patch_lens(m, [1)', 0],
    ['a string that does not close', 'patch_lens(m, "a)\nb', 0],
    ['a triple string', 'patch_lens(m, """a)\n"b""")', 1],
    ['a raw string', String.raw`patch_lens(m, r"a\")`, 1],
    ['an escape', String.raw`patch_lens(m, "a\")")`, 1],
    ['two', 'patch_lens(patch_lens(m))', 2],
  ])('finds %s', (_, source, n) => {
    expect(findCalls(source, 'patch_lens').length).toBe(n);
  });

  it('keeps an equality apart from a name', () => {
    expect(findCalls('f(a == b)', 'f')[0]!.args[0]!.name).toBe('');
  });

  it.each([
    ['[1, [2, 3], "a,b",]', ['1', '[2, 3]', '"a,b"']],
    ['[]', []],
    ['[x for x in y] + [1]', null],
    ['ps', null],
  ])('reads the list %s', (text, want) => {
    expect(elements(text)).toEqual(want);
  });

  it('writes and takes out arguments in place', () => {
    const source = 'f(a, b=1,  c=2)  # keep';
    const call = findCalls(source, 'f')[0]!;
    expect(setArg(source, call, 'b', '9')).toBe('f(a, b=9,  c=2)  # keep');
    expect(setArg(source, call, 'd', '9')).toBe('f(a, b=1,  c=2, d=9)  # keep');
    expect(dropArg(source, call, 'b')).toBe('f(a,  c=2)  # keep');
    expect(dropArg('f(b=1, c=2)', findCalls('f(b=1, c=2)', 'f')[0]!, 'b')).toBe('f(c=2)');
    expect(setArg('f()', findCalls('f()', 'f')[0]!, 'd', '9')).toBe('f(d=9)');
  });
});

describe('patches', () => {
  it('are added to the list, one a line where it is long, and the last is shown', () => {
    const one = addPatches(`p = patch_lens(m, clean="34+57=", corrupted="12+57=", show=0)`, [P])!;
    expect(one).toBe(`p = patch_lens(m, clean="34+57=", corrupted="12+57=", patches=[\n    ${P},\n])`);
    expect(addPatches(one, [Q])).toBe(`p = patch_lens(m, clean="34+57=", corrupted="12+57=", patches=[\n    ${P},\n    ${Q},\n])`);
    expect(addPatches('patch_lens(m, "a", "b", patches=[])', ['p1'])).toBe('patch_lens(m, "a", "b", patches=[p1])');
    expect(addPatches(`if x:\n    patch_lens(m, clean="34+57=", corrupted="12+57=")`, [P])).toContain(`patches=[\n        ${P},\n    ])`);
  });

  it.each([
    ['no call', 'x = 1'],
    ['two calls', 'patch_lens(m)\npatch_lens(m)'],
    ['a list that is computed', 'patch_lens(m, patches=[f(i) for i in range(3)] + q)'],
    ['a positional list', 'patch_lens(m, "a", "b", [p])'],
  ])('are not added to %s', (_, source) => {
    expect(addPatches(source, [P])).toBeNull();
  });

  it('shows one try or two', () => {
    const source = 'patch_lens(m, patches=[a, b, c])';
    expect(showTries(source, [0], 3)).toBe('patch_lens(m, patches=[a, b, c], show=0)');
    expect(showTries('patch_lens(m, patches=[a, b, c], show=0)', [2], 3)).toBe(source);
    expect(showTries(source, [2, 1], 3)).toBe('patch_lens(m, patches=[a, b, c], show=[2, 1])');
    expect(showTries('1', [0], 1)).toBeNull();
  });

  it('tells runs apart', () => {
    const call = (s: string) => findCalls(s, 'patch_lens')[0]!;
    expect(sameRuns(call('patch_lens(m, clean="a", patches=[p])'), call('patch_lens(m,  clean="a", patches=[], show=1)'))).toBe(true);
    expect(sameRuns(call('patch_lens(m, clean="a")'), call('patch_lens(m, clean="b")'))).toBe(false);
  });

  it.each([
    ['activation_patching(m, n=4)', 'm'],
    ['activation_patching(n=4, m=models[0])', 'models[0]'],
    ['activation_patching(load("a"), n=4)', 'load("a")'],
    ['activation_patching(m)\nactivation_patching(k)', ''],
    ['1', ''],
  ])('reads the model of %s', (source, want) => {
    expect(modelArg(source, 'activation_patching')).toBe(want);
  });
});

it('finds the set of prompts by its name or behind the model', () => {
  expect(promptsArg('knockout(m, ps, n=2)', 'knockout')).toBe('ps');
  expect(promptsArg('knockout(prompts=prompts("{a}+{b}=", a=range(3)), m=m)', 'knockout')).toBe('prompts("{a}+{b}=", a=range(3))');
  expect(promptsArg('knockout(m, n=2)', 'knockout')).toBe('');
  expect(promptsArg('knockout(m, p)\nknockout(m, q)', 'knockout')).toBe('');
});

describe('the name of a call', () => {
  it('is the one that it has, or one that it gets', () => {
    expect(named('m = load("x")\ng = knockout(m)  # all', 'knockout', 'k')).toEqual({ name: 'g', source: 'm = load("x")\ng = knockout(m)  # all' });
    expect(named('m = load("x")\nknockout(\n  m,\n)', 'knockout', 'k')).toEqual({ name: 'k', source: 'm = load("x")\nk = knockout(\n  m,\n)' });
  });
  it('is none inside of an expression, a block, or of two calls', () => {
    for (const source of ['f(knockout(m))', 'f(\nknockout(m)\n)', 'knockout(m).values("heads")', 'for i in x:\n  knockout(m)', 'knockout(m)\nknockout(m)', 'effects(m)']) {
      expect(named(source, 'knockout', 'k'), source).toBeNull();
    }
  });
});

describe('lists of calls', () => {
  const LINES = '[\n    a,  # one\n    b(1, 2),  # two\n]';
  it.each([
    ['[]', '[c]'],
    ['[a]', '[a, c]'],
    ['[a, b,]', '[a, b, c]'],
    [LINES, '[\n    a,  # one\n    b(1, 2),  # two\n    c,\n]'],
    ['[\n    a,\n    b  # two\n]', '[\n    a,\n    b,  # two\n    c,\n]'],
  ])('grow from %j', (list, want) => {
    expect(addElement(list, 'c')).toBe(want);
  });

  it.each([
    ['[a]', 0, '[]'],
    ['[a, b, c]', 0, '[b, c]'],
    ['[a, b, c]', 1, '[a, c]'],
    ['[a, b, c]', 2, '[a, b]'],
    ['[a, b,]', 1, '[a,]'],
    [LINES, 0, '[\n    b(1, 2),  # two\n]'],
    [LINES, 1, '[\n    a,  # one\n]'],
    ['[\n    a, b,\n    c,\n]', 0, '[\n    b,\n    c,\n]'],
  ])('shrink: %j without %i', (list, at, want) => {
    expect(dropElement(list, at)).toBe(want);
  });
});
