// Every command of the notebook page with its keys, in one list: the key
// handler, the key sheet and the palette read it.

export type Mode = 'command' | 'edit' | 'any';

export interface Command {
  id: CommandId;
  title: string;
  group: 'Run' | 'Cells' | 'Move' | 'Page';
  /** Key strokes, "D D" for two in a row; Mod is Ctrl, or Cmd on a Mac. */
  keys: readonly string[];
  mode: Mode;
}

export type CommandId = (typeof LIST)[number][0];

const LIST = [
  ['run-next', 'Run cell, select the next', 'Run', ['Shift+Enter'], 'any'],
  ['run', 'Run cell', 'Run', ['Mod+Enter'], 'any'],
  ['run-insert', 'Run cell, insert one below', 'Run', ['Alt+Enter'], 'any'],
  ['run-anew', 'Run cell anew, without the result cache', 'Run', ['Mod+Shift+Enter'], 'any'],
  ['run-stale', 'Run stale cells', 'Run', ['Shift+R', 'Mod+Shift+R'], 'command'],
  ['run-all', 'Run all cells', 'Run', [], 'any'],
  ['run-all-anew', 'Run all cells anew, without the result cache', 'Run', [], 'any'],
  ['interrupt', 'Interrupt and clear the queue', 'Run', ['I I', 'Mod+I'], 'command'],
  ['insert-above', 'Insert cell above', 'Cells', ['A'], 'command'],
  ['insert-below', 'Insert cell below', 'Cells', ['B'], 'command'],
  ['add', 'Add an analysis or prompts, as a form', 'Cells', ['N'], 'command'],
  ['insert-prompts', 'Insert prompts from a file (CSV, JSON lines)', 'Cells', [], 'any'],
  ['delete', 'Delete cell', 'Cells', ['D D'], 'command'],
  ['cut', 'Cut cell', 'Cells', ['X'], 'command'],
  ['copy', 'Copy cell', 'Cells', ['C'], 'command'],
  ['paste', 'Paste cell below', 'Cells', ['V'], 'command'],
  ['undo', 'Undo the last change of cells', 'Cells', ['Z'], 'command'],
  ['redo', 'Redo', 'Cells', ['Shift+Z'], 'command'],
  ['to-code', 'Make it a code cell', 'Cells', ['Y'], 'command'],
  ['to-markdown', 'Make it a Markdown cell', 'Cells', ['M'], 'command'],
  ['heading-1', 'Make it a heading', 'Cells', ['1'], 'command'],
  ['heading-2', 'Make it a heading of level 2', 'Cells', ['2'], 'command'],
  ['heading-3', 'Make it a heading of level 3', 'Cells', ['3'], 'command'],
  ['split', 'Split the cell at the cursor', 'Cells', ['Ctrl+_'], 'edit'],
  ['merge', 'Merge with the cell below', 'Cells', ['Shift+M'], 'command'],
  ['move-up', 'Move cell up', 'Cells', ['Mod+Shift+ArrowUp'], 'any'],
  ['move-down', 'Move cell down', 'Cells', ['Mod+Shift+ArrowDown'], 'any'],
  ['form', 'Show the cell as a form, or as source', 'Cells', ['F'], 'command'],
  ['edit', 'Edit cell', 'Move', ['Enter'], 'command'],
  ['leave', 'Leave the editor', 'Move', ['Escape', 'Ctrl+M'], 'edit'],
  ['next', 'Select the next cell', 'Move', ['J', 'ArrowDown'], 'command'],
  ['previous', 'Select the previous cell', 'Move', ['K', 'ArrowUp'], 'command'],
  ['save', 'Save now', 'Page', ['Mod+S'], 'any'],
  ['palette', 'Command palette', 'Page', ['Mod+K', 'Mod+Shift+C'], 'any'],
  ['keys', 'Key sheet', 'Page', ['?'], 'command'],
  ['export', 'Export figures', 'Page', [], 'any'],
  ['theme', 'Switch between light and dark', 'Page', [], 'any'],
  ['home', 'All notebooks', 'Page', [], 'any'],
] as const;

export const COMMANDS: readonly Command[] = LIST.map(([id, title, group, keys, mode]) => ({ id, title, group, keys, mode }));

/** A key stroke as a reader knows it: "⇧ R", "⌘ K". */
export function keyLabel(stroke: string, mac: boolean): string {
  const names: Record<string, string> = {
    Mod: mac ? '⌘' : 'Ctrl',
    Ctrl: 'Ctrl',
    Shift: '⇧',
    Alt: mac ? '⌥' : 'Alt',
    Enter: '↵',
    Escape: 'Esc',
    _: '⇧ -',
    ArrowUp: '↑',
    ArrowDown: '↓',
  };
  return stroke
    .split(/[+ ]/)
    .map((part) => names[part] ?? part)
    .join(' ');
}

export const isMac = (): boolean => navigator.userAgent.includes('Mac');
