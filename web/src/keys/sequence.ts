// From key strokes to commands, in Jupyter's two modes.
import { COMMANDS, type Command, type CommandId } from './commands';

/** The parts of a KeyboardEvent that matter. */
export interface Stroke {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
}

/** The second key of "D D" must come within this many milliseconds. */
const PATIENCE = 900;

/** Writes a stroke as the command list does: "Mod+Shift+C", "Shift+Z", "?". */
export function nameOf(stroke: Stroke, mac: boolean): string {
  const { key } = stroke;
  const letter = /^[a-z]$/i.test(key);
  const sign = key.length === 1 && !letter;
  const mod = mac ? stroke.metaKey : stroke.ctrlKey;
  const parts: string[] = [];
  if (mod) parts.push('Mod');
  if (mac && stroke.ctrlKey) parts.push('Ctrl');
  if (stroke.altKey) parts.push('Alt');
  if (stroke.shiftKey && !sign) parts.push('Shift');
  parts.push(letter ? key.toUpperCase() : key);
  return parts.join('+');
}

/** Reads strokes one after the other and names the command that they ask for. */
export class KeyReader {
  private first = '';
  private firstAt = 0;

  constructor(private readonly mac: boolean) {}

  /** The command of a stroke in a mode; null while there is none. */
  read(stroke: Stroke, editing: boolean, now: number): CommandId | null {
    const name = nameOf(stroke, this.mac);
    const pair = this.first !== '' && now - this.firstAt <= PATIENCE ? `${this.first} ${name}` : '';
    this.first = '';
    for (const command of COMMANDS) {
      if (!applies(command, editing)) continue;
      if (command.keys.some((k) => k === pair || this.same(k, name))) return command.id;
    }
    if (COMMANDS.some((c) => applies(c, editing) && c.keys.some((k) => k.startsWith(`${name} `)))) {
      this.first = name;
      this.firstAt = now;
    }
    return null;
  }

  /** Off a Mac, Ctrl and Mod are one key. */
  private same(key: string, name: string): boolean {
    return key === name || (!this.mac && key.replace('Ctrl+', 'Mod+') === name);
  }
}

function applies(command: Command, editing: boolean): boolean {
  return command.mode === 'any' || command.mode === (editing ? 'edit' : 'command');
}
