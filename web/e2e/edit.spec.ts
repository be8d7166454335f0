import { EXAMPLE, expect, open, picture, runAll, select, test, write } from './program';

const LENS = 'lens = logit_lens(m, "34+57=")';

test('an edit is run, saved and there after a reload', async ({ page, orrery }) => {
  await open(page, orrery);
  await runAll(page);
  const cell = page.locator('.cell', { hasText: LENS });
  const editor = await write(page, cell);
  await editor.press('Control+a');
  await page.keyboard.insertText('lens = logit_lens(m, "20+31=")');
  await page.keyboard.press('Control+Enter');
  const lens = page.getByRole('figure', { name: 'Logit lens' });
  await expect(lens.locator('figcaption')).toContainText('51');
  await expect(page.getByRole('status').first()).toHaveText(/Saved \d\d:\d\d:\d\d/);
  expect(orrery.read(EXAMPLE)).toContain('"20+31="');
  const caption = await lens.locator('figcaption').textContent();
  const before = await picture(lens);
  await page.reload();
  await expect(lens.locator('figcaption')).toHaveText(caption!);
  await expect(page.locator('.cell', { hasText: '"20+31="' })).toBeVisible();
  expect((await picture(lens)) === before, 'the same picture after the reload').toBe(true);
});

test('cells that depend on a change become stale', async ({ page, orrery }) => {
  await open(page, orrery);
  await runAll(page);
  const first = page.locator('.cell', { hasText: 'm = load("mental-2op")' });
  await write(page, first);
  await page.keyboard.press('Control+Home');
  await page.keyboard.insertText('# the same model\n');
  await page.keyboard.press('Escape');
  await expect(page.locator('header [role=status]')).toContainText(/[1-9] cells? stale/);
});

test('an error says its place, its value and the next step', async ({ page, orrery }) => {
  await open(page, orrery);
  const last = page.locator('.cell').last();
  await select(last);
  await page.keyboard.press('b');
  await page.keyboard.press('Enter');
  await page.getByRole('textbox').waitFor();
  await page.keyboard.insertText('n = 1\nlogit_lense(load("mental-2op"), "34+57=")');
  await page.keyboard.press('Control+Enter');
  const error = page.locator('.error');
  await expect(error).toContainText('line 2, column 1');
  await expect(error).toContainText('logit_lense');
  await expect(error).toContainText('logit_lens');
  await expect(page.locator('.cm-lintRange-error')).toHaveText('logit_lense');
});

test('deleted cells come back, moved cells stay moved', async ({ page, orrery }) => {
  await open(page, orrery);
  const cells = page.locator('.cell');
  const count = await cells.count();
  const second = cells.nth(1);
  const text = await second.textContent();
  await select(second);
  await page.keyboard.press('d');
  await page.keyboard.press('d');
  await expect(cells).toHaveCount(count - 1);
  await page.keyboard.press('z');
  await expect(cells).toHaveCount(count);
  await expect(second).toHaveText(text!);
  await page.keyboard.press('Shift+Z');
  await expect(cells).toHaveCount(count - 1);
  await page.keyboard.press('z');
  await expect(cells).toHaveCount(count);
  await select(second);
  await page.keyboard.press('Control+Shift+ArrowUp');
  await expect(cells.first()).toHaveText(text!);
  await page.reload();
  await expect(cells.first()).toHaveText(text!);
});

test('a cell is split at the cursor, merged again and made a heading, each one step back', async ({ page, orrery }) => {
  orrery.write('cut', '# Cut\n\n```python {#one}\na = 1\nb = a + 1\n```\n');
  await open(page, orrery, 'cut');
  const cells = page.locator('.cell');
  const editor = await write(page, cells.nth(1));
  await editor.press('ArrowUp');
  await editor.press('End');
  await page.keyboard.press('Control+Shift+_');
  await expect(cells).toHaveCount(3);
  await expect(page.getByRole('textbox', { name: 'Code cell 3' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(cells.nth(1).locator('pre')).toHaveText('a = 1');
  await expect(cells.nth(2).locator('pre')).toHaveText('b = a + 1');
  await page.keyboard.press('k');
  await page.keyboard.press('Shift+M');
  await expect(cells).toHaveCount(2);
  await expect(cells.nth(1).locator('pre')).toHaveText('a = 1\nb = a + 1');
  await page.keyboard.press('z');
  await expect(cells).toHaveCount(3);
  await page.keyboard.press('z');
  await expect(cells).toHaveCount(2);
  await expect(cells.nth(1).locator('pre')).toHaveText('a = 1\nb = a + 1');
  await page.keyboard.press('a');
  await page.keyboard.press('2');
  await expect(page.locator('.cell.selected')).toHaveAccessibleName(/^Markdown cell/);
  await expect.poll(() => orrery.read('cut')).toContain('\n## \n');
});

test('two pages see the same notebook, and neither overwrites the other unasked', async ({ page, orrery, context, expected }) => {
  expected.push(/409/);
  await open(page, orrery);
  const other = await context.newPage();
  await other.goto(orrery.at(`/n/${EXAMPLE}`));
  const cellOf = (p: typeof page) => p.locator('.cell', { hasText: 'logit_lens(m' });
  await cellOf(other).waitFor();
  await write(page, cellOf(page));
  await page.keyboard.insertText('  # one');
  await expect(cellOf(other)).toContainText('# one');

  // Both write at once: the other page's request is held back until this one is saved.
  await other.route('**/edit', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await route.continue();
  });
  await write(other, cellOf(other));
  await other.keyboard.insertText(' theirs');
  await page.keyboard.insertText(' mine');
  await expect(other.getByRole('alert')).toContainText('Not saved.');
  await other.unroute('**/edit');
  await other.getByRole('button', { name: 'Keep mine' }).click();
  await expect(cellOf(page)).toContainText('# one theirs');
  await expect.poll(() => orrery.read(EXAMPLE)).toContain('# one theirs');
});

test('a crash of the program loses nothing that was written', async ({ page, orrery, expected }) => {
  expected.push(/./); // the browser reports each refused connection
  await open(page, orrery);
  const { port } = orrery;
  const cell = page.locator('.cell', { hasText: LENS });
  await write(page, cell);
  await orrery.kill();
  await expect(page.getByText(/Connection lost for \d+ s/)).toBeVisible();
  await page.keyboard.insertText('  # written while it was down');
  await expect(page.getByText(/Not saved:/)).toBeVisible();
  await expect(page.locator('header [role=status]')).toHaveText('Not saved');
  await expect(page.locator('.prose h1')).toBeVisible();

  await orrery.start(port);
  await page.goto(orrery.at(`/n/${EXAMPLE}`));
  await expect(page.locator('.cell', { hasText: '# written while it was down' })).toBeVisible();
  await expect.poll(() => orrery.read(EXAMPLE)).toContain('# written while it was down');
});

test('a file changed by another program is not overwritten unasked', async ({ page, orrery, expected }) => {
  expected.push(/409|404/);
  await open(page, orrery);
  orrery.write(EXAMPLE, '# Changed elsewhere\n\nOne line.\n');
  const alert = page.getByRole('alert').filter({ hasText: 'Changed on disk.' });
  await write(page, page.locator('.cell', { hasText: LENS }));
  await page.keyboard.insertText('  # mine');
  await expect(alert).toContainText('Changed elsewhere');
  await alert.getByRole('button', { name: 'Load the file' }).click();
  await expect(page.locator('.prose h1')).toHaveText('Changed elsewhere');
  expect(orrery.read(EXAMPLE)).toContain('Changed elsewhere');
});
