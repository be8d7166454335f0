import { AxeBuilder } from '@axe-core/playwright';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXAMPLE, expect, test } from './program';

test('a plate says what it is of and runs again where it stands', async ({ page, orrery }) => {
  await page.goto(orrery.at('/'));
  const plate = page.locator(`a[data-notebook="${EXAMPLE}"]`);
  await expect(plate).toContainText('Plate 1');
  await expect(plate).toContainText('Stolfo, Belinkov & Sachan 2023');
  await expect(plate.locator('.chip')).toHaveText('mental-2op');
  await expect(plate).toContainText(/recorded · (\d+) of \1 checks hold/);

  // The first arrow walks to the first plate, R runs it without leaving the page.
  await page.keyboard.press('ArrowRight');
  await expect(plate).toBeFocused();
  const ran = page.waitForResponse((r) => r.url().endsWith('/run') && r.ok());
  await page.keyboard.press('r');
  await ran;
  await expect(plate).toContainText(/recorded · (\d+) of \1 checks hold/);
  await expect(page).toHaveURL(new RegExp(`^http://[^/]*/$`));

  // The find field looks at papers, too.
  await page.keyboard.press('/');
  await page.keyboard.type('stolfo');
  await expect(plate).toBeVisible();
  await page.keyboard.type(' and nobody else');
  await expect(page.locator('main')).toContainText('No notebook has');

  // And at models and methods, before a plate has read its notebook.
  const field = page.getByRole('searchbox');
  await field.fill('modadd-113');
  await expect(page.locator('a[data-notebook]')).toHaveCount(1);
  await expect(page.locator('a[data-notebook]')).toContainText('Watching it grok');
  await field.fill('logit lens');
  await expect(plate).toBeVisible();
});

test('the margin shows the folder as a tree, and what was edited as recent', async ({ page, orrery }) => {
  await page.goto(orrery.at('/'));
  const margin = page.getByRole('complementary');
  await expect(margin.getByRole('heading', { name: 'Models' })).toBeVisible();
  await expect(margin.getByRole('heading', { name: 'Recent' })).toHaveCount(0);
  await expect(margin.locator('tr')).toHaveText([/^orrery-e2e-\w+\/$/, /└ \.orrery\/ ?results ?[\d.]+ [KM]?B/]);

  orrery.write('mine', '# My own\n\nA try.\n');
  mkdirSync(join(orrery.dir, 'notes', 'old'), { recursive: true });
  writeFileSync(join(orrery.dir, 'notes', 'old', 'data.csv'), 'a,b\n');
  await page.reload();
  await expect(margin.getByRole('button', { name: /My own/ })).toBeVisible();
  await expect(margin.locator('tr')).toHaveText([/1 notebook ?\d+ B/, /├ notes\//, /│ └ old\/ ?1 file ?4 B/, /└ \.orrery/]);
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map((v) => v.id)).toEqual([]);
});
