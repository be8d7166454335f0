// A file of prompts as a cell: cells read no files, so its text goes into one,
// and the notebook holds all that its results depend on.
import { block } from '../cells/form-values';

/** The longest text that is put into a cell; the server takes 256 KiB. */
const LONGEST = 200_000;

/** The cell that holds a file's text, or why there can be none. */
export function promptCell(text: string, file: string, taken: readonly string[]): { source: string } | { problem: string } {
  if (text.trim() === '') return { problem: `${file} is empty` };
  if (text.length > LONGEST) return { problem: `${file} has ${Math.ceil(text.length / 1000)} thousand characters, and a cell holds ${LONGEST / 1000}` };
  const base = file.replace(/\.\w+$/, '').replace(/\W+/g, '_').replace(/^(\d)/, '_$1') || 'file';
  let name = `${base.replace(/^_+/, '')}_file`;
  for (let i = 2; taken.includes(name); i++) name = `${base.replace(/^_+/, '')}_file${i}`;
  if (!/^[A-Za-z]/.test(name)) name = `prompts_${name}`;
  return { source: `${name} = prompts_from(${block(text.replace(/\r\n?/g, '\n'))})` };
}

/** Asks the reader for a file; null when none is chosen. */
export function chooseFile(accept: string): Promise<File | null> {
  return new Promise((resolve) => {
    const input = document.createElement('input');
    input.type = 'file';
    input.accept = accept;
    input.onchange = () => resolve(input.files?.[0] ?? null);
    input.oncancel = () => resolve(null);
    input.click();
  });
}
