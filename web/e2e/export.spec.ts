import { readFileSync } from 'node:fs';
import { expect, open, runAll, test } from './program';

/** How a file of each format begins, and a word that it must hold. */
const FORMATS: Record<string, { magic: RegExp; holds?: RegExp }> = {
  png: { magic: /^\x89PNG\r\n/ },
  svg: { magic: /^(<\?xml|<svg)/, holds: /Logit lens/ },
  pdf: { magic: /^%PDF-/ },
  csv: { magic: /^\S/, holds: /layer/ },
  json: { magic: /^\{/, holds: /"kind":\s*"tokens"/ },
  npz: { magic: /^PK\x03\x04/, holds: /\.npy/ },
};

test('every format is offered and downloads', async ({ page, orrery }) => {
  await open(page, orrery);
  await runAll(page);
  const lens = page.getByRole('figure', { name: 'Logit lens' });
  for (const [format, { magic, holds }] of Object.entries(FORMATS)) {
    const coming = page.waitForEvent('download');
    await lens.getByRole('link', { name: `Logit lens as ${format.toUpperCase()}` }).click();
    const download = await coming;
    expect(download.suggestedFilename()).toMatch(new RegExp(`\\.${format}$`));
    const text = readFileSync(await download.path(), 'latin1');
    expect(text, format).toMatch(magic);
    if (holds) expect(text, format).toMatch(holds);
  }
});

test('the export has the metric, the theme and the numbers that the page shows', async ({ page, orrery }) => {
  await open(page, orrery);
  await runAll(page);
  const lens = page.getByRole('figure', { name: 'Logit lens' });
  await lens.getByRole('button', { name: 'entropy', exact: true }).click();
  await page.emulateMedia({ colorScheme: 'dark' });
  const link = lens.getByRole('link', { name: 'Logit lens as SVG' });
  await expect(link).toHaveAttribute('href', /show=entropy&theme=dark$/);
  const svg = await (await page.request.get(new URL((await link.getAttribute('href'))!, orrery.address).toString())).text();
  expect(svg).toContain('entropy');
  expect(svg.toLowerCase()).toContain('#1b1e24');

  // The number that the page reads stands in the JSON too.
  const plot = lens.getByRole('group', { name: /Arrow keys walk/ });
  await plot.focus();
  await plot.press('ArrowRight');
  const spoken = await lens.locator('[aria-live]').textContent();
  const shown = /entropy (\d+\.\d+) nats/.exec(spoken!)![1]!;
  const href = (await lens.getByRole('link', { name: 'Logit lens as JSON' }).getAttribute('href'))!;
  const json = (await (await page.request.get(new URL(href, orrery.address).toString())).json()) as {
    tokens: { metrics: { name: string; values: string }[] };
    arrays: Record<string, { shape: number[]; f32: string }>;
  };
  const name = json.tokens.metrics.find((m) => m.name === 'entropy')!.values;
  const raw = Buffer.from(json.arrays[name]!.f32, 'base64');
  expect(raw.readFloatLE(raw.length - 4).toFixed(shown.split('.')[1]!.length)).toBe(shown);
});

test('the export sheet lists every figure', async ({ page, orrery }) => {
  await open(page, orrery);
  await runAll(page);
  const figures = await page.getByRole('figure').count();
  expect(figures).toBeGreaterThan(2);
  await page.getByRole('button', { name: 'Export' }).click();
  const sheet = page.getByRole('dialog', { name: 'Export figures' });
  await expect(sheet.getByRole('listitem')).toHaveCount(figures);
  await expect(sheet.getByRole('link', { name: /Causal mediation of cell \d+ as npz/ }).first()).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(sheet).toHaveCount(0);
});
