import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, open, runAll, test, write } from './program';

async function clean(page: Page, what: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const words = violations.map((v) => `${v.id} (${v.impact}): ${v.help}\n  ${v.nodes.map((n) => n.target.join(' ')).join('\n  ')}`);
  expect(words, what).toEqual([]);
}

for (const theme of ['light', 'dark'] as const) {
  test(`axe finds nothing in the ${theme} theme`, async ({ page, orrery }) => {
    await page.emulateMedia({ colorScheme: theme });
    await page.goto(orrery.at('/'));
    await page.getByRole('link', { name: /Where does 34/ }).waitFor();
    await clean(page, 'list of notebooks');
    await open(page, orrery);
    await runAll(page);
    await clean(page, 'notebook');
    await write(page, page.locator('.cell', { hasText: 'm = load' }));
    await page.keyboard.insertText('\nnope(');
    await page.keyboard.press('Control+Enter');
    await page.locator('.error').first().waitFor();
    await clean(page, 'editor and error');
    await page.keyboard.press('Escape');
    const plot = page.getByRole('figure', { name: 'Logit lens' }).getByRole('group', { name: /Arrow keys/ });
    await plot.press('ArrowRight');
    await plot.press('Enter');
    await clean(page, 'locked card');
    await plot.press('Escape');
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog').waitFor();
    await clean(page, 'palette');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Export' }).click();
    await clean(page, 'export sheet');
    await page.keyboard.press('Escape');
    await page.locator('.cell.selected').focus();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await clean(page, 'key sheet');
    await page.goto(orrery.at('/'));
    await page.getByRole('button', { name: /New notebook/ }).click();
    await page.getByRole('button', { name: /A lens/ }).waitFor();
    await clean(page, 'empty notebook');
  });
}

for (const theme of ['light', 'dark'] as const) {
  test(`axe finds nothing in any study as it is recorded, in the ${theme} theme`, async ({ page, orrery }) => {
    await page.emulateMedia({ colorScheme: theme });
    await page.goto(orrery.at('/'));
    const plates = page.locator('a[data-notebook]');
    await expect(plates).toHaveCount(6);
    const ids = await plates.evaluateAll((links) => links.map((l) => (l as HTMLElement).dataset['notebook']!));
    for (const id of ids) {
      await open(page, orrery, id);
      await page.getByRole('figure').first().waitFor();
      await clean(page, id);
    }
  });
}

const FAILED = `# Failed

\`\`\`python {#m}
m = load("mental-2op")
\`\`\`

\`\`\`python {#effects}
causal_mediation(m, base="34+57=", source="12+57=")
\`\`\`

\`\`\`python {#late}
logit_lens(m, "12+34=")
fail("after its figure")
\`\`\`

\`\`\`python {#name}
logit_lense(m, "34+57=")
\`\`\`

\`\`\`python {#trace}
def half(n):
    return 1 // n
half(0)
\`\`\`

\`\`\`python {#first}
n = 1
\`\`\`

\`\`\`python {#twice}
n = 2
\`\`\`
`;

for (const theme of ['light', 'dark'] as const) {
  test(`axe finds nothing on a page of failed cells, in the ${theme} theme`, async ({ page, orrery, expected }) => {
    await page.emulateMedia({ colorScheme: theme });
    orrery.write('failed', FAILED);
    await open(page, orrery, 'failed');
    await page.keyboard.press('Control+k');
    await page.keyboard.type('run all');
    await page.keyboard.press('Enter');
    await expect(page.locator('.error')).toHaveCount(5);
    await page.getByText('Where it came from').first().click();
    await clean(page, 'failed cells');
    // A refusal stands over the page's corner, and on a small screen over the keys at a figure's foot.
    expected.push(/Failed to load resource/);
    await page.route('**/run', (route) => route.fulfill({ status: 500, json: { code: 'internal', message: 'the disk is full', hint: 'make room' } }));
    await page.setViewportSize({ width: 1024, height: 768 });
    await page.keyboard.press('Control+Enter');
    await page.locator('.notice').waitFor();
    await page.locator('.foot kbd').last().evaluate((key) => {
      const { top, height } = document.querySelector('.notice')!.getBoundingClientRect();
      window.scrollBy(0, key.getBoundingClientRect().top - top - height / 2);
    });
    await clean(page, 'a refusal over a foot');
  });
}

test('the switch goes against the system, and back to it', async ({ page, orrery }) => {
  await page.emulateMedia({ colorScheme: 'light' });
  await open(page, orrery);
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await paper();
  await page.getByRole('button', { name: 'Colours: as the system' }).click();
  const dark = await paper();
  expect(dark).not.toBe(light);
  await page.reload();
  await expect.poll(paper).toBe(dark);
  await page.getByRole('button', { name: 'Colours: dark' }).click();
  await page.getByRole('button', { name: 'Colours: light' }).click();
  await page.emulateMedia({ colorScheme: 'dark' });
  await expect.poll(paper).toBe(dark);
});

test('at 390 px nothing is cut off and type keeps its size', async ({ page, orrery }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await open(page, orrery);
  await runAll(page);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
  await expect(page.locator('aside')).toBeHidden();
  for (const canvas of await page.locator('canvas').all()) {
    await canvas.scrollIntoViewIfNeeded();
    const [css, real] = await canvas.evaluate((c: HTMLCanvasElement) => [c.getBoundingClientRect().width * devicePixelRatio, c.width]);
    expect(Math.abs(css! - real!)).toBeLessThanOrEqual(1);
  }
  await page.getByRole('button', { name: 'Command palette' }).click();
  await page.getByRole('combobox').fill('carry the operand');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Which outputs carry the operand' })).toBeInViewport();
  await clean(page, '390 px');
});
