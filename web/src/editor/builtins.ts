// The names that every cell knows besides the analyses, which the server
// lists, for completion. They say what server/script says of them; a test
// compares the two.

export interface Builtin {
  name: string;
  /** How it is called. */
  call: string;
  help: string;
}

export const BUILTINS: readonly Builtin[] = [
  { name: 'load', call: 'load(name)', help: 'opens a model: a shipped one by name, another by its directory' },
  { name: 'tokens', call: 'tokens(m, prompt)', help: "a prompt as the model's tokens; t.ids, t.strings, t[-1], len(t)" },
  { name: 'prompts', call: 'prompts(template, m=None, op=["+", "-"], answer="", answers=None, n=0, seed=1, keep="correct", **operands)', help: 'a set of prompts: prompts("{a}+{b}=", a=range(0, 100), b=range(0, 100), n=200); p.pairs(change="a"), p.report, p.accuracy, p[0], p.csv()' },
  { name: 'prompts_from', call: 'prompts_from(rows, m=None, keep="all", seed=1)', help: 'prompts from a list of texts, or pairs from a list of (clean, corrupted); or what p.csv() and p.jsonl() wrote' },
  { name: 'run_with_cache', call: 'run_with_cache(m, prompt, names_filter="*", edits=[], remove_batch_dim=False)', help: 'runs the model once; returns (logits, cache), both as tensors: cache["z", 0]; cache.decompose_resid(), cache.logit_attrs(...)' },
  { name: 'patch', call: 'patch(site, at=None, heads=None, neurons=None, queries=None, keys=None, into=None, to=None, run="clean", freeze=None)', help: 'a value of one run to be put into another, for patch_lens: patch("blocks.3.hook_resid_post", at=1), or along an edge: patch("head 0.1 -> mlp 2"), or a path: patch("head 0.1 -> q 1.2", at=-1, freeze="heads")' },
  { name: 'fmt', call: 'fmt("{} {:.3f}", x, y)', help: "text with values put in, formatted as Python's str.format does" },
  { name: 'round', call: 'round(x, ndigits=None)', help: 'x rounded, ties to even; an int without ndigits' },
  { name: 'sum', call: 'sum(xs, start=0)', help: 'the sum of numbers, or of tensors of one shape' },
  { name: 'pow', call: 'pow(x, y, mod=None)', help: 'x to the power y; exact for ints; with mod, the remainder' },
  { name: 'mean', call: 'mean(xs)', help: 'the mean of numbers as a float' },
  { name: 'chars', call: 'chars(s)', help: 'the characters of a string as a list; len(s) counts bytes, len(chars(s)) characters' },
  { name: 'attempt', call: 'attempt(f, *args, **kwargs)', help: 'calls f; returns (value, None), or (None, message) when it fails' },
  { name: 'help', call: 'help(f)', help: 'what a function does, with its arguments; of a value, what it has' },
  { name: 'print', call: 'print(*values, sep=" ")', help: "writes values into the cell's output" },
  { name: 'str', call: 'str(x)', help: 'x as text' },
  { name: 'repr', call: 'repr(x)', help: 'x as text, strings with quotes' },
  { name: 'fail', call: 'fail(*values, sep=" ")', help: 'ends the cell with a message' },
  { name: 'range', call: 'range(stop) or range(start, stop, step=1)', help: 'the ints from start up to, without, stop' },
  { name: 'len', call: 'len(x)', help: 'how many elements x has; for strings, bytes' },
  { name: 'None', call: 'None', help: 'no value' },
  { name: 'True', call: 'True', help: 'true' },
  { name: 'False', call: 'False', help: 'false' },
  { name: 'abs', call: 'abs(x)', help: 'x without its sign' },
  { name: 'all', call: 'all(xs)', help: 'True when every element is true' },
  { name: 'any', call: 'any(xs)', help: 'True when some element is true' },
  { name: 'bool', call: 'bool(x)', help: 'whether x is true' },
  { name: 'bytes', call: 'bytes(x)', help: 'a string or a list of ints as bytes' },
  { name: 'chr', call: 'chr(i)', help: 'the character of a code point' },
  { name: 'dict', call: 'dict(pairs, **values)', help: 'a dictionary' },
  { name: 'dir', call: 'dir(x)', help: 'the attributes of x' },
  { name: 'enumerate', call: 'enumerate(xs, start=0)', help: 'a list of (number, element)' },
  { name: 'float', call: 'float(x)', help: 'x as a float' },
  { name: 'getattr', call: 'getattr(x, name, default=None)', help: 'an attribute by name' },
  { name: 'hasattr', call: 'hasattr(x, name)', help: 'whether x has an attribute' },
  { name: 'hash', call: 'hash(s)', help: 'a number made from a string' },
  { name: 'int', call: 'int(x, base=10)', help: 'x as an int, towards 0' },
  { name: 'list', call: 'list(xs)', help: 'a list of the elements' },
  { name: 'max', call: 'max(xs, key=None)', help: 'the largest element' },
  { name: 'min', call: 'min(xs, key=None)', help: 'the smallest element' },
  { name: 'ord', call: 'ord(c)', help: 'the code point of a character' },
  { name: 'reversed', call: 'reversed(xs)', help: 'a list in reverse' },
  { name: 'set', call: 'set(xs)', help: 'a set' },
  { name: 'sorted', call: 'sorted(xs, key=None, reverse=False)', help: 'a sorted list' },
  { name: 'tuple', call: 'tuple(xs)', help: 'a tuple of the elements' },
  { name: 'type', call: 'type(x)', help: "the name of x's type" },
  { name: 'zip', call: 'zip(*lists)', help: 'a list of tuples, one element of each' },
  { name: 'math', call: 'math', help: 'functions of numbers: math.sqrt, math.log, math.exp, math.pi, ...' },
  { name: 'json', call: 'json', help: 'json.encode(x), json.decode(s), json.indent(s)' },
];
