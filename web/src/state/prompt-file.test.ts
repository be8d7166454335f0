import { expect, it } from 'vitest';
import { promptCell } from './prompt-file';

it('puts a file into a cell as it stands', () => {
  const made = promptCell('text,answer_text\r\n"a ""b"" \\n",91\n', 'my pairs.csv', []);
  expect(made).toEqual({ source: 'my_pairs_file = prompts_from("""\ntext,answer_text\n"a ""b"" \\\\n",91\n""")' });
});

it('escapes what would end the text', () => {
  expect(promptCell('{"text": """x"""}', 'x.jsonl', ['x_file', 'x_file2'])).toEqual({ source: 'x_file3 = prompts_from("""\n{"text": \\"\\"\\"x\\"\\"\\"}\n""")' });
  const made = promptCell('text\n"a"', '2op.csv', []);
  expect('source' in made && made.source.endsWith('"a"\n""")')).toBe(true);
  expect('source' in made && made.source.startsWith('prompts_2op_file = ')).toBe(true);
});

it('refuses what no cell can hold', () => {
  expect(promptCell(' \n', 'a.csv', [])).toEqual({ problem: 'a.csv is empty' });
  expect(promptCell('x'.repeat(200_001), 'a.csv', [])).toEqual({ problem: 'a.csv has 201 thousand characters, and a cell holds 200' });
});
