import { expect, open, test } from './program';

test('everything without a mouse', async ({ page, orrery }) => {
  await page.goto(orrery.at('/'));
  await page.getByRole('link', { name: /Where does 34/ }).waitFor();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await page.locator('.cell').first().waitFor();

  // Walk to the first code cell, run it and the next ones.
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  const selected = page.locator('.cell.selected');
  await expect(selected).toHaveAccessibleName(/^Code cell 2/);
  await expect(selected).toBeFocused();
  await page.keyboard.press('Shift+Enter');
  await expect(page.locator('.cell').nth(1)).toHaveAccessibleName(/done/);
  await expect(selected).toHaveAccessibleName(/cell 3$/);

  // A new cell, written with completion, run, and left by Escape.
  await page.keyboard.press('b');
  await expect(selected).toHaveAccessibleName(/^Code cell 4/);
  await page.keyboard.press('Enter');
  const editor = page.getByRole('textbox', { name: 'Code cell 4' });
  await expect(editor).toBeFocused();
  await page.keyboard.type('logit_le');
  await expect(page.getByRole('option', { name: /logit_lens/ })).toBeVisible();
  await page.waitForTimeout(100); // the editor takes no completion in the moment in which it appears
  await page.keyboard.press('Tab');
  await page.keyboard.type('(m, "12+30=", met');
  await expect(page.getByRole('option', { name: /metric=/ })).toBeVisible();
  await page.waitForTimeout(100);
  await page.keyboard.press('Tab');
  await page.keyboard.type('"rank"');
  await page.keyboard.press('Control+Enter');
  await expect(page.locator('.error')).toHaveCount(0);
  const lens = selected.getByRole('figure', { name: 'Logit lens' });
  await expect(lens.getByRole('button', { name: 'rank', exact: true })).toHaveAttribute('aria-pressed', 'true');

  // Out of the editor, by Tab into the figure, along its cells and out again.
  if (await editor.count()) await page.keyboard.press('Escape');
  await expect(selected).toBeFocused();
  const plot = lens.getByRole('group', { name: /Arrow keys walk/ });
  for (let i = 0; i < 12 && !(await plot.evaluate((n) => n === document.activeElement)); i++) await page.keyboard.press('Tab');
  await expect(plot).toBeFocused();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowDown');
  await expect(lens.locator('[aria-live]')).toContainText(/layer 2 · position 4/);
  await page.keyboard.press('Enter');
  await expect(lens.locator('.card')).toHaveClass(/locked/);
  await page.keyboard.press('Escape');
  await expect(lens.locator('.card')).toHaveCount(0);

  // To Markdown and back, from the figure's own cell.
  await page.keyboard.press('k');
  await page.keyboard.press('a');
  await expect(selected).toHaveAccessibleName(/^Code cell 3/);
  await page.keyboard.press('m');
  await expect(selected).toHaveAccessibleName(/^Markdown cell 3/);
  await page.keyboard.press('Enter');
  await page.getByRole('textbox', { name: 'Markdown cell 3' }).waitFor();
  await page.keyboard.type('## Written by *keys*');
  await page.keyboard.press('Shift+Enter');
  await expect(page.getByRole('heading', { name: 'Written by keys' })).toBeVisible();
});

test('palette and key sheet open, find and close', async ({ page, orrery }) => {
  await open(page, orrery);
  await page.keyboard.press('Control+k');
  const palette = page.getByRole('dialog', { name: 'Command palette' });
  await expect(palette.getByRole('combobox')).toBeFocused();
  await page.keyboard.type('arrives late');
  await page.keyboard.press('Enter');
  await expect(palette).toHaveCount(0);
  await expect(page.locator('.cell.selected')).toContainText('The answer arrives late');
  await page.keyboard.press('?');
  const sheet = page.getByRole('dialog', { name: 'Keys' });
  await expect(sheet).toContainText('Interrupt and clear the queue');
  await sheet.getByRole('searchbox').fill('undo');
  await expect(sheet.locator('dt')).toHaveCount(1);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await expect(sheet).toHaveCount(0);
  await expect(page.locator('.cell.selected')).toBeFocused();
});

test('two strokes interrupt an endless cell', async ({ page, orrery }) => {
  await open(page, orrery);
  await page.keyboard.press('b');
  await page.keyboard.press('Enter');
  await page.getByRole('textbox').waitFor();
  await page.keyboard.insertText('def spin():\n    for i in range(1000000000):\n        pass\nspin()');
  await page.keyboard.press('Control+Enter');
  const cell = page.locator('.cell.selected');
  await expect(cell).toHaveAccessibleName(/running/);
  await page.keyboard.press('Escape');
  await page.keyboard.press('i');
  await page.keyboard.press('i');
  await expect(cell).toHaveAccessibleName(/interrupted/, { timeout: 2000 });
});
