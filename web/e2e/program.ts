// The real program for each test, in a folder of its own, and a page that
// fails the test when something breaks silently: an exception, a refusal by
// the Content-Security-Policy, a file that is missing.
import { expect, test as base, type Locator, type Page } from '@playwright/test';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Snapshot } from '../src/api/types.gen';

const root = join(import.meta.dirname, '..', '..');

/** The example that a new folder holds. */
export const EXAMPLE = 'mental-addition';

function binary(): string {
  const given = process.env['ORRERY_BIN'];
  if (given) return given;
  const path = join(tmpdir(), `orrery-e2e-${process.pid}`);
  if (!existsSync(path)) execFileSync('go', ['build', '-o', path, './cmd/orrery'], { cwd: root, stdio: 'inherit' });
  return path;
}

export class Program {
  readonly dir = mkdtempSync(join(tmpdir(), 'orrery-e2e-'));
  private child: ChildProcess | null = null;
  /** The address with the token, as the program printed it. */
  address = '';

  /** Starts the program and waits for its address. */
  async start(port = 0): Promise<void> {
    const child = spawn(binary(), ['--port', String(port), '--dir', this.dir, '--no-browser'], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.child = child;
    this.address = await new Promise<string>((resolve, reject) => {
      let said = '';
      child.stdout.on('data', (data: Buffer) => {
        said += data.toString();
        const found = /http:\/\/127\.0\.0\.1:\d+\/\S*token=\S+/.exec(said);
        if (found) resolve(found[0]);
      });
      child.on('exit', (code) => reject(new Error(`orrery ended with ${code}: ${said}`)));
    });
  }

  /** Ends the program at once, as a crash would. */
  async kill(): Promise<void> {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.dir, { recursive: true, force: true });
  }

  get port(): number {
    return Number(new URL(this.address).port);
  }

  /** The address of a page of the program, with the token. */
  at(path: string): string {
    const url = new URL(this.address);
    url.pathname = path;
    return url.toString();
  }

  /**
   * Makes a model with the shipped one's tokenizer, random weights and enough
   * arithmetic that a sweep lasts long enough to be watched. Returns the folder
   * to load.
   */
  longModel(): string {
    const folder = join(this.dir, 'long');
    const config = join(this.dir, 'long.json');
    writeFileSync(
      config,
      JSON.stringify({
        architectures: ['LlamaForCausalLM'],
        model_type: 'llama',
        hidden_size: 768,
        intermediate_size: 3072,
        num_hidden_layers: 4,
        num_attention_heads: 12,
        num_key_value_heads: 12,
        vocab_size: 203,
        max_position_embeddings: 256,
        rms_norm_eps: 1e-5,
        rope_theta: 10000,
        hidden_act: 'silu',
        tie_word_embeddings: true,
      }),
    );
    execFileSync(binary(), ['bench', 'synth', '--config', config, '--out', folder]);
    cpSync(join(root, 'models', 'zoo', 'mental-2op', 'tokenizer.json'), join(folder, 'tokenizer.json'));
    return folder;
  }

  /** Writes a notebook file as another program would, before it is opened. */
  write(id: string, markdown: string): void {
    writeFileSync(join(this.dir, `${id}.md`), markdown);
  }

  /** The notebook's file; empty while there is none. */
  read(id: string): string {
    const path = join(this.dir, `${id}.md`);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }
}

interface Fixtures {
  orrery: Program;
  /** Messages of the browser that a test expects and that do not fail it. */
  expected: RegExp[];
}

export const test = base.extend<Fixtures>({
  orrery: async ({}, use) => {
    const program = new Program();
    await program.start();
    await use(program);
    await program.remove();
  },
  expected: async ({}, use) => use([]),
  // The program outlives the page, so that no page looks for one that is gone.
  page: async ({ page, expected, orrery: _ }, use) => {
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(`exception: ${error.stack ?? error.message}`));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text());
    });
    await use(page);
    const surprising = faults.filter((f) => !expected.some((e) => e.test(f)));
    if (surprising.length > 0) throw new Error(`the page complained:\n${surprising.join('\n')}`);
  },
});

/** Opens a notebook and waits until its cells are there. */
export async function open(page: Page, orrery: Program, id = EXAMPLE): Promise<void> {
  await page.goto(orrery.at(`/n/${encodeURIComponent(id)}`));
  await page.locator('.cell, section:has(#start)').first().waitFor();
}

const ENDED = ['done', 'failed', 'canceled'];

/** Runs every cell and waits, so many milliseconds at most, until each has ended well. */
export async function runAll(page: Page, timeout = 15_000): Promise<void> {
  await page.keyboard.press('Control+k');
  await page.keyboard.type('run all');
  const queued = page.waitForResponse((r) => r.url().endsWith('/run'));
  await page.keyboard.press('Enter');
  const notebook = (await queued).url().replace(/\/run$/, '');
  await expect
    .poll(async () => ((await (await page.request.get(notebook)).json()) as Snapshot).jobs.filter((j) => !ENDED.includes(j.state)), { timeout })
    .toEqual([]);
  const notDone = page.locator('article[aria-label^="Code"]:not([aria-label$="done"])');
  await notDone.first().waitFor({ state: 'detached' });
}

/** The picture of a figure once its cells have faded in: the same twice, a moment apart. */
export async function picture(figure: Locator): Promise<string> {
  const now = () => figure.locator('canvas').evaluate((c: HTMLCanvasElement) => c.toDataURL());
  let last = '';
  await expect(async () => {
    const before = last;
    last = await now();
    expect(last === before, 'the picture stands still').toBe(true);
  }).toPass({ intervals: [0, 200] });
  return last;
}

/** Selects a cell by its gutter; a click on its text would open the editor. */
export async function select(cell: Locator): Promise<void> {
  await cell.click({ position: { x: 12, y: 12 } });
}

/** Opens the editor of a cell with its cursor at the end. */
export async function write(page: Page, cell: Locator): Promise<Locator> {
  await select(cell);
  await page.keyboard.press('Enter');
  const editor = cell.getByRole('textbox');
  await editor.waitFor();
  await editor.press('Control+End');
  return editor;
}

export { expect } from '@playwright/test';
