import { expect, test } from './program';

/** Work of a few tenths of a second: quicker work is not kept. */
const NOTEBOOK = '# Kept\n\n```python {#sweep}\neffects(load("mental-2op"), n=200)\n```\n';

test('a result comes from the cache, says so, and is computed anew on demand', async ({ page, orrery }) => {
  orrery.write('kept', NOTEBOOK);
  await page.goto(orrery.at('/n/kept'));
  const cell = page.locator('#cell-sweep');
  const line = cell.getByText(/from the cache · computed in .+ on \d{4}-\d\d-\d\d \d\d:\d\d/);
  const anew = async () => {
    await expect(line).toHaveCount(0); // it goes when the run begins
    await expect(cell).toHaveAccessibleName(/done/);
    await expect(line).toHaveCount(0);
  };
  const figure = () => cell.getByRole('figure').innerText();
  await cell.click();
  await page.keyboard.press('Control+Enter');
  await expect(cell).toHaveAccessibleName(/done/);
  await expect(line).toHaveCount(0);
  const computed = await figure();

  await page.keyboard.press('Control+Enter');
  await expect(line).toBeVisible();
  expect(await figure()).toBe(computed);

  // By its button, by its key, by the palette: none of them reads the cache.
  await cell.getByRole('button', { name: 'Compute anew' }).click();
  await anew();
  await page.keyboard.press('Control+Enter');
  await expect(line).toBeVisible();
  await page.keyboard.press('Control+Shift+Enter');
  await anew();
  expect(await figure()).toBe(computed);

  // Behind a crash it is still there.
  const { port } = orrery;
  await page.goto('about:blank');
  await orrery.kill();
  await orrery.start(port);
  await page.goto(orrery.at('/n/kept'));
  await cell.click();
  await page.keyboard.press('Control+Enter');
  await expect(line).toBeVisible();
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox').fill('anew');
  await expect(page.getByRole('option', { name: /Run all cells anew/ })).toBeVisible();
  await page.getByRole('option', { name: /Run all cells anew/ }).click();
  await anew();
});
