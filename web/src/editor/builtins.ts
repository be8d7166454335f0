// The names that every cell knows besides the analyses, which the server
// lists, for completion.

export interface Builtin {
  name: string;
  /** How it is called. */
  call: string;
  help: string;
}

export const BUILTINS: readonly Builtin[] = [
  { name: 'load', call: 'load(name)', help: 'a shipped model by name, or one in a directory' },
  { name: 'tokens', call: 'tokens(model, prompt)', help: 'a prompt as the model sees it' },
  { name: 'run_with_cache', call: 'run_with_cache(model, prompt)', help: 'one forward pass: logits and every activation' },
  { name: 'fmt', call: 'fmt(format, value)', help: 'a number as text, "%.3f"' },
  { name: 'print', call: 'print(*values)', help: 'writes values below the cell' },
  { name: 'sum', call: 'sum(values)', help: 'the sum of a list or tensor' },
  { name: 'mean', call: 'mean(values)', help: 'the mean of a list or tensor' },
  { name: 'min', call: 'min(values)', help: 'the least value' },
  { name: 'max', call: 'max(values)', help: 'the greatest value' },
  { name: 'abs', call: 'abs(x)', help: 'the absolute value' },
  { name: 'round', call: 'round(x, digits)', help: 'a number rounded' },
  { name: 'pow', call: 'pow(x, y)', help: 'x to the power of y' },
  { name: 'len', call: 'len(values)', help: 'how many there are' },
  { name: 'range', call: 'range(start, stop, step)', help: 'whole numbers in order' },
  { name: 'enumerate', call: 'enumerate(values)', help: 'values with their indices' },
  { name: 'zip', call: 'zip(a, b)', help: 'values side by side' },
  { name: 'sorted', call: 'sorted(values)', help: 'a sorted list' },
  { name: 'reversed', call: 'reversed(values)', help: 'a list back to front' },
  { name: 'list', call: 'list(values)', help: 'a list' },
  { name: 'dict', call: 'dict(pairs)', help: 'a dictionary' },
  { name: 'str', call: 'str(x)', help: 'a value as text' },
  { name: 'int', call: 'int(x)', help: 'a whole number' },
  { name: 'float', call: 'float(x)', help: 'a number' },
  { name: 'bool', call: 'bool(x)', help: 'True or False' },
  { name: 'type', call: 'type(x)', help: "the name of a value's type" },
];
