import { AxeBuilder } from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';
import type { ParamType, Workspace } from '../src/api/types.gen';
import { expect, open, runAll, select, test, type Program } from './program';

const PROMPTS = `# Prompts

\`\`\`python {#model}
m = load("mental-2op")
\`\`\`

\`\`\`python {#set}
p = prompts("{a}+{b}=", m, a=range(0, 30), b=range(0, 30), n=12)  # a dozen
p
\`\`\`

\`\`\`python {#pairs}
q = p.pairs()
q
\`\`\`

\`\`\`python {#patched}
patch_lens(m, clean="34+57=", corrupted="12+57=", patches=[
    patch("blocks.1.hook_resid_post", at=1),  # the first
])
\`\`\`

\`\`\`python {#given}
r = prompts_from(["34+57=", "12+9="], m)
r
\`\`\`
`;

const formOf = (cell: Locator) => cell.getByRole('group', { name: 'Form', exact: true });

async function asForm(cell: Locator): Promise<Locator> {
  await cell.getByRole('button', { name: 'Form', exact: true }).click();
  await formOf(cell).waitFor();
  return formOf(cell);
}

const faults = async (page: Page) => (await new AxeBuilder({ page }).analyze()).violations.map((v) => `${v.id}: ${v.nodes[0]?.html}`);

test('a set of prompts is made, and its pairs, in forms; what was dropped is said', async ({ page, orrery }) => {
  orrery.write('sets', PROMPTS);
  await open(page, orrery, 'sets');
  const cell = page.locator('#cell-set');
  const form = await asForm(cell);

  // While typing, a number out of bounds is named and not written.
  await form.getByLabel('n', { exact: true }).fill('-3');
  await expect(form.getByRole('alert')).toHaveText('-3 is below 0; use 0 or more');
  await form.getByLabel('n', { exact: true }).fill('8');
  await form.getByLabel('n', { exact: true }).press('Tab');
  await expect.poll(() => orrery.read('sets')).toContain('b=range(0, 30), n=8)  # a dozen');

  await form.getByLabel('a from').fill('40');
  await expect(form.getByRole('alert')).toHaveText('from 40 to below 30 there is no number');
  await form.getByLabel('a below').fill('60');
  await form.getByLabel('a step').fill('5');
  await form.getByLabel('a step').press('Tab');
  await expect.poll(() => orrery.read('sets')).toContain('a=range(40, 60, 5), b=');
  await expect(form).toContainText('4 numbers, 40, 45 to 55');

  // A list in place of a range, by keys alone.
  const b = form.getByRole('group', { name: 'b as a range' });
  await b.getByLabel('b from').focus();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await expect(form.getByRole('button', { name: 'as a list' }).nth(1)).toBeFocused();
  await page.keyboard.press('Enter');
  await form.getByLabel('b', { exact: true }).fill('2, 3');
  await page.keyboard.press('Enter');
  await expect.poll(() => orrery.read('sets')).toContain('b=[2, 3], n=8)');
  await form.getByLabel('b', { exact: true }).press('Backspace');
  await form.getByLabel('b', { exact: true }).fill('90');
  await page.keyboard.press('Enter');
  await expect.poll(() => orrery.read('sets')).toContain('b=[2, 90], n=8)');

  // A third operand in the template is a third field.
  await form.getByLabel('template', { exact: true }).fill('{a}-{b}+{c}=');
  await form.getByLabel('template', { exact: true }).press('Tab');
  await form.getByLabel('c from').fill('0');
  await form.getByLabel('c below').fill('3');
  await form.getByLabel('c below').press('Enter');
  await expect.poll(() => orrery.read('sets')).toContain('n=8, c=range(0, 3))  # a dozen');
  await form.getByLabel('template', { exact: true }).fill('{a}-{b}=');
  await form.getByLabel('template', { exact: true }).press('Tab');
  await expect(form).toContainText('the template has no {c}: write it there, or leave this out');
  await form.getByRole('button', { name: 'c back to its default' }).click();
  await expect.poll(() => orrery.read('sets')).toContain('p = prompts("{a}-{b}=", m, a=range(40, 60, 5), b=[2, 90], n=8)  # a dozen');
  await form.getByLabel('template', { exact: true }).press('Shift+Enter');
  await expect(cell.getByRole('region', { name: /^\d prompts$/ })).toContainText('dropped: the answer is out of range');

  const pairs = await asForm(page.locator('#cell-pairs'));
  await expect(pairs).toContainText('Pairs of p as q');
  await pairs.getByText(/more, at their defaults/).click();
  await pairs.getByLabel('change', { exact: true }).selectOption('a');
  await expect.poll(() => orrery.read('sets')).toContain('q = p.pairs(change="a")');
  await pairs.getByLabel('control', { exact: true }).selectOption('result-fixed');
  await expect.poll(() => orrery.read('sets')).toContain('q = p.pairs(change="a", control="result-fixed")');
  await pairs.getByLabel('change', { exact: true }).selectOption('operand');
  await expect.poll(() => orrery.read('sets')).toContain('q = p.pairs(control="result-fixed")');
  expect(await faults(page)).toEqual([]);
});

test('patches are forms in a form, and prompts are lines', async ({ page, orrery }) => {
  orrery.write('sets', PROMPTS);
  await open(page, orrery, 'sets');
  const form = await asForm(page.locator('#cell-patched'));
  await form.getByRole('button', { name: 'Add a patch' }).click();
  const second = form.getByRole('group', { name: 'Patch 2' });
  await second.getByLabel('site', { exact: true }).fill('blocks.2.hook_mlp_out');
  await second.getByLabel('site', { exact: true }).press('Tab');
  await expect.poll(() => orrery.read('sets')).toContain('    patch("blocks.1.hook_resid_post", at=1),  # the first\n    patch("blocks.2.hook_mlp_out", at=-1),\n])');
  await second.getByText(/more, at their defaults/).click();
  await second.getByLabel('run', { exact: true }).selectOption('zero');
  await expect.poll(() => orrery.read('sets')).toContain('patch("blocks.2.hook_mlp_out", at=-1, run="zero"),\n');
  await form.getByRole('button', { name: 'Remove patch 1' }).click();
  await expect.poll(() => orrery.read('sets')).toContain('patches=[\n    patch("blocks.2.hook_mlp_out", at=-1, run="zero"),\n])');

  const given = await asForm(page.locator('#cell-given'));
  const rows = given.getByLabel('rows', { exact: true });
  await expect(rows).toHaveValue('34+57=\n12+9=');
  await rows.fill('34+57= | 12+57=\n12+9=');
  await given.getByLabel('rows are').selectOption('pairs');
  await expect(given.getByRole('alert')).toContainText('row 2, 12+9=, is no pair');
  await rows.fill('34+57= | 12+57=\n12+9= | 12+3=');
  await rows.press('Tab');
  await expect.poll(() => orrery.read('sets')).toContain('prompts_from([("34+57=", "12+57="), ("12+9=", "12+3=")], m)');
  expect(await faults(page)).toEqual([]);
  await page.emulateMedia({ colorScheme: 'dark' });
  expect(await faults(page)).toEqual([]);
});

test('which cells are forms is kept at a reload', async ({ page, orrery }) => {
  orrery.write('sets', PROMPTS);
  await open(page, orrery, 'sets');
  await asForm(page.locator('#cell-set'));
  await select(page.locator('#cell-pairs'));
  await page.keyboard.press('f');
  await formOf(page.locator('#cell-pairs')).waitFor();
  await expect(page.locator('#cell-pairs').getByLabel('change', { exact: true })).toBeAttached();
  await page.reload();
  await expect(page.getByRole('group', { name: 'Form', exact: true })).toHaveCount(2);
  await page.locator('#cell-set').getByRole('button', { name: 'Source', exact: true }).click();
  await page.reload();
  await formOf(page.locator('#cell-pairs')).waitFor();
  await expect(page.getByRole('group', { name: 'Form', exact: true })).toHaveCount(1);
  expect(orrery.read('sets'), 'the file says nothing of it').toBe(PROMPTS);
});

/** A notebook with every example in a cell, all shown as forms. */
async function gallery(page: Page, orrery: Program): Promise<Workspace> {
  const workspace = (await (await page.request.get(orrery.at('/api/workspace'))).json()) as Workspace;
  const cells = workspace.analyses.map((a) => `\`\`\`python {#${a.name}}\n${a.example}\n\`\`\`\n`);
  orrery.write('all', ['# All\n', '```python {#sets}\nm = load("mental-2op")\np = prompts("{a}+{b}=", m, a=range(0, 9), b=range(0, 9), n=4)\nq = p.pairs()\ndef gap(logits, pair):\n    return logits[pair.answer]\n```\n', ...cells].join('\n'));
  await open(page, orrery, 'all');
  await page.evaluate((names) => localStorage.setItem('orrery.forms.all', JSON.stringify(names)), workspace.analyses.map((a) => a.name));
  await page.reload();
  await expect(page.getByRole('group', { name: 'Form', exact: true })).toHaveCount(cells.length);
  return workspace;
}

/** What the forms show: by analysis and parameter the control in words, its options and what is said of it. */
const shownIn = (page: Page) =>
  page.evaluate(() =>
    Object.fromEntries(
      [...document.querySelectorAll('.form')].map((form) => {
        for (const d of form.querySelectorAll('details')) d.open = true;
        const fields = [...form.querySelectorAll('.field')].filter((f) => !f.closest('.inner'));
        return [
          form.closest('.cell')!.id.replace('cell-', ''),
          Object.fromEntries(
            fields.map((f) => {
              const value = f.querySelector(':scope > .value')!;
              const has = (selector: string) => value.querySelector(`:scope > ${selector}`);
              const input = has('input') as HTMLInputElement | null;
              const what = has('select:not(.pick)') ? 'select' : has('.checks') ? 'checks' : has('.list') ? 'chips' : has('.calls') ? 'calls' : input?.type === 'checkbox' ? 'box' : input ? 'input' : 'nothing';
              const label = f.querySelector(':scope > .name')!;
              const labelled = label instanceof HTMLLabelElement ? label.control !== null : f.querySelector(`[aria-labelledby="${label.id}"]`) !== null;
              return [
                label.textContent!.trim(),
                {
                  what,
                  labelled,
                  options: [...value.querySelectorAll(':scope > select > option, .checks label')].map((o) => o.textContent!.trim()),
                  placeholder: input?.placeholder ?? '',
                  text: value.textContent!,
                  help: f.querySelector(':scope > .help')!.textContent!,
                },
              ];
            }),
          ),
        ];
      }),
    ),
  );

test('every parameter of every analysis has its control', async ({ page, orrery }) => {
  test.setTimeout(120_000);
  await page.goto(orrery.at('/'));
  const workspace = await gallery(page, orrery);
  const shown = await shownIn(page);
  const CONTROLS: Record<ParamType, string> = {
    model: 'select', prompts: 'select', choice: 'select', metric: 'select', bool: 'box', int: 'input', float: 'input', string: 'input', prompt: 'input',
    strings: 'chips', ints: 'chips', numbers: 'chips', patches: 'calls', edits: 'calls', range: '', rows: '', value: '', data: '',
  };
  for (const analysis of workspace.analyses) {
    for (const p of analysis.params) {
      const where = `${analysis.name}, ${p.name}`;
      const field = shown[analysis.name]?.[p.name];
      expect(field, where).toBeDefined();
      expect(field!.what, where).toBe(p.type === 'strings' && p.choices ? 'checks' : CONTROLS[p.type]);
      expect(field!.labelled, where).toBe(true);
      expect(field!.help, where).toContain(p.help);
      if (p.choices) expect(field!.options, where).toEqual(expect.arrayContaining(p.choices));
      if (p.type === 'metric') expect(field!.options, where).toContain('gap, a function of the notebook');
      if (p.type === 'model') expect(field!.options, where).toEqual(expect.arrayContaining(['m', 'load("mental-2op")']));
      if (p.type === 'prompts') expect(field!.options, where).toEqual(expect.arrayContaining(['none', 'p', 'q']));
      if ((p.type === 'int' || p.type === 'float') && p.default !== 'None') expect(field!.placeholder, where).toBe(p.default);
      if (p.unit) expect(field!.text, where).toContain(p.unit);
      if (p.min !== undefined) expect(field!.help, where).toContain(String(p.min));
    }
  }

  // A layer is checked against the model of the call.
  const attention = formOf(page.locator('#cell-attention'));
  await attention.getByLabel('layer', { exact: true }).fill('4');
  await expect(attention.getByRole('alert')).toHaveText('4 is outside -4..3; use -4 to 3');

  // A list of numbers: what is typed is checked, taken out, and gone where it is the default.
  const helix = formOf(page.locator('#cell-helix'));
  const periods = helix.getByLabel('periods', { exact: true });
  await periods.fill('1.5');
  await expect(helix.getByRole('alert')).toHaveText('1.5 is below 2; use 2 or more');
  await periods.fill('20');
  await periods.press('Enter');
  await expect.poll(() => orrery.read('all')).toContain('show="layers", n=300, periods=[2, 5, 10, 100, 20])');
  await helix.getByRole('button', { name: 'Remove 20' }).click();
  await expect.poll(() => orrery.read('all')).toContain('helix(load("mental-2op"), show="layers", n=300)\n');
});

test('an analysis is added by its paper, filled from the notebook, by keys alone', async ({ page, orrery }) => {
  orrery.write('sets', PROMPTS);
  await open(page, orrery, 'sets');
  await select(page.locator('#cell-pairs'));
  await page.keyboard.press('n');
  const sheet = page.getByRole('dialog', { name: 'Add an analysis' });
  await expect(sheet.getByRole('option')).toHaveCount(((await (await page.request.get(orrery.at('/api/workspace'))).json()) as Workspace).analyses.length + 3);
  expect(await faults(page)).toEqual([]);
  await page.keyboard.type('stolfo');
  await expect(sheet.getByRole('option')).toHaveCount(1);
  await page.keyboard.press('Enter');
  await expect(sheet).toHaveCount(0);
  await expect.poll(() => orrery.read('sets')).toContain('q\n```\n\n```python {#');
  expect(orrery.read('sets')).toContain('\ncausal_mediation(m, q)\n```');
  const cell = page.locator('.cell.selected');
  await expect(formOf(cell)).toContainText('Causal mediation');
  await expect(cell.getByLabel('m', { exact: true })).toBeFocused();
  await page.keyboard.press('Control+Enter');
  await expect(cell.getByRole('figure').first()).toBeVisible();
  await expect(cell).toHaveAccessibleName(/done/);
  await expect(cell.locator('.error')).toHaveCount(0);
});

test('an empty notebook begins with a form', async ({ page, orrery }) => {
  orrery.write('blank', '# Blank\n');
  await open(page, orrery, 'blank');
  await page.getByRole('button', { name: /All analyses, as forms/ }).click();
  await page.keyboard.type('logit_lens');
  await page.keyboard.press('Enter');
  await expect(formOf(page.locator('.cell.selected'))).toContainText('Logit lens');
  await page.getByRole('button', { name: '+ Code' }).click();
  await page.keyboard.press('Escape');
  await page.keyboard.press('n');
  await page.keyboard.type('prompts');
  await page.keyboard.press('Enter');
  await expect.poll(() => orrery.read('blank')).toContain('p = prompts("{a}+{b}=", load("mental-2op"), a=range(0, 100), b=range(0, 100), n=200)\np\n');
  expect(orrery.read('blank').match(/```python/g), 'the empty cell was filled').toHaveLength(2);
  await runAll(page);
});
