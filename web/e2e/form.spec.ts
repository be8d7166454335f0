import { AxeBuilder } from '@axe-core/playwright';
import { readFileSync } from 'node:fs';
import { expect, open, runAll, test } from './program';

const SETS = `# Sets

\`\`\`python {#model}
m = load("mental-2op")
\`\`\`

\`\`\`python {#set}
p = prompts("{a}+{b}=", m, a=range(0, 30), b=range(0, 30), n=12).pairs(change="b")
p
\`\`\`

\`\`\`python {#effects}
def gap(logits, pair):
    return logits[pair.answer] - logits[pair.other]

shown = effects(
    m,
    p,  # twelve pairs
    show="heads",
)
\`\`\`
`;

test('a call is a form: its fields edit the source, and undo takes that back', async ({ page, orrery, expected }) => {
  expected.push(/status of 400/);
  orrery.write('sets', SETS);
  await open(page, orrery, 'sets');
  await runAll(page);
  const cell = page.locator('#cell-effects');
  await cell.getByRole('button', { name: 'Form' }).click();
  const form = cell.getByRole('group', { name: 'Form', exact: true });
  await expect(form).toContainText('Total and direct effects');
  await expect(form.getByLabel('prompts', { exact: true })).toHaveValue('p');
  await form.getByText(/more, at their defaults/).click();
  for (const held of ['n', 'change']) await expect(form.getByLabel(held, { exact: true }), 'what the pairs hold is no field').toHaveCount(0);
  await form.getByLabel('show', { exact: true }).selectOption('layers');
  await expect.poll(() => orrery.read('sets')).toContain('    p,  # twelve pairs\n)');
  await form.getByLabel('metric', { exact: true }).selectOption('gap');
  await expect.poll(() => orrery.read('sets')).toContain('    p,  # twelve pairs\n    metric=gap,\n)');
  await form.getByRole('button', { name: 'Write m as an expression' }).click();
  await form.getByLabel('m', { exact: true }).fill('m, n=3');
  await form.getByLabel('m', { exact: true }).press('Tab');
  await expect(form.getByRole('alert')).toContainText('m, n=3 is not one value');
  expect(orrery.read('sets')).not.toContain('n=3');
  await form.getByLabel('metric', { exact: true }).press('Shift+Enter');
  await expect(cell.getByRole('figure')).toContainText('gap(logits, pair)');
  expect((await new AxeBuilder({ page }).analyze()).violations.map((v) => v.id)).toEqual([]);
  await cell.getByRole('button', { name: 'Source' }).click();
  await expect(cell.locator('pre').first()).toContainText('metric=gap');
  await page.keyboard.press('z');
  await expect(cell.locator('pre').first()).not.toContainText('metric=gap');
  await page.keyboard.press('z');
  await expect(cell.locator('pre').first()).toContainText('show="heads"');
  expect(orrery.read('sets')).toContain('    show="heads",\n)');
});

test('a set of prompts is rows of chips, and leaves as a file and comes back as a cell', async ({ page, orrery }) => {
  orrery.write('sets', SETS);
  await open(page, orrery, 'sets');
  await runAll(page);
  const set = page.getByRole('region', { name: '12 pairs' });
  await expect(set.locator('tbody tr')).toHaveCount(8);
  await set.getByRole('button', { name: 'Show all 12' }).click();
  await expect(set.locator('tbody tr')).toHaveCount(12);
  await expect(set).toContainText('operand b changed');
  const saved = page.waitForEvent('download');
  await set.getByRole('button', { name: 'JSON lines' }).click();
  const file = await (await saved).path();
  expect(readFileSync(file, 'utf8').trim().split('\n').length).toBe(12);
  await page.locator('#cell-effects').click();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+k');
  await page.keyboard.insertText('Insert prompts from a file');
  const chooser = page.waitForEvent('filechooser');
  await page.keyboard.press('Enter');
  await (await chooser).setFiles({ name: 'pairs.jsonl', mimeType: 'application/jsonl', buffer: readFileSync(file) });
  await expect.poll(() => orrery.read('sets')).toContain('pairs_file = prompts_from("""\n{"clean":');
});
