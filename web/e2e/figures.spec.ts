import { AxeBuilder } from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';
import { expect, open, picture, runAll, test } from './program';

const HELIX = 'numbers-on-a-helix';

const GROK = `# Watching it grok

\`\`\`python {#watch}
grokking(load("modadd-113"), frames=4)
\`\`\`
`;

/** Axe finds nothing in the figures of the page. */
async function clean(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`)).toEqual([]);
}

/** The query of a figure's link to a picture. */
async function query(figure: Locator, format = 'SVG'): Promise<URLSearchParams> {
  const href = await figure.getByRole('link', { name: new RegExp(`as ${format}$`) }).getAttribute('href');
  return new URLSearchParams(href!.split('?')[1]);
}

async function download(page: Page, figure: Locator, origin: string): Promise<string> {
  const href = await figure.getByRole('link', { name: /as SVG$/ }).getAttribute('href');
  const response = await page.request.get(new URL(href!, origin).toString());
  expect(response.status(), await response.text()).toBe(200);
  return response.text();
}

test('a helix is turned by hand and by keys, and exported as it is seen', async ({ page, orrery }) => {
  await open(page, orrery, HELIX);
  const figure = page.getByRole('figure', { name: 'Numbers on a helix' }).first();
  const plot = figure.getByRole('group', { name: /Arrow keys walk its points/ });
  await plot.scrollIntoViewIfNeeded();
  const before = await picture(figure);
  expect((await query(figure)).get('turn')).toBeNull();

  await figure.getByRole('button', { name: 'T = 10', exact: true }).click();
  await figure.getByRole('button', { name: 'last digit' }).click();
  const chosen = await picture(figure);
  expect(chosen).not.toBe(before);

  const box = (await plot.boundingBox())!;
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + 80, y - 30, { steps: 4 });
  await page.mouse.up();
  await page.mouse.move(box.x + 2, box.y + 2);
  const turned = await picture(figure);
  expect(turned).not.toBe(chosen);

  // The server draws the same view, colouring and turn.
  const asked = await query(figure);
  expect(asked.get('show')).toBeTruthy();
  expect(asked.get('colour')).toBeTruthy();
  expect(asked.get('turn')).toMatch(/^-?\d+\.\d,-?\d+\.\d$/);
  const svg = await download(page, figure, orrery.address);
  expect(svg).toContain('last digit');

  await plot.focus();
  await plot.press('Shift+ArrowLeft');
  await plot.press('+');
  await expect.poll(() => picture(figure)).not.toBe(turned);
  await plot.press('Home');
  await expect.poll(() => picture(figure)).toBe(chosen);
  await expect(figure.getByRole('button', { name: 'As at first' })).toBeDisabled();

  await plot.press('ArrowRight');
  await plot.press('ArrowRight');
  const live = figure.locator('[aria-live]');
  const said = await live.textContent();
  expect(said).toMatch(/: last digit \d/);
  await plot.press('ArrowUp');
  await expect(live).not.toHaveText(said!);
  await plot.press('Enter');
  await expect(figure.getByRole('button', { name: 'Unlock the card' })).toBeVisible();
  await clean(page);
  await plot.press('Escape');
  await expect(figure.getByRole('button', { name: 'Unlock the card' })).toHaveCount(0);
});

test('a slider over checkpoints moves every panel, and nothing else', async ({ page, orrery }) => {
  test.setTimeout(300_000);
  orrery.write('grok', GROK);
  await open(page, orrery, 'grok');
  await runAll(page, 200_000);
  const figure = page.getByRole('figure', { name: 'a + b mod 113' });
  const slider = figure.getByRole('slider', { name: 'checkpoint' });

  await test.step('by keys, without asking the server', async () => {
    await slider.focus();
    await expect(slider).toHaveAttribute('aria-valuenow', '3');
    const shape = () => figure.locator('canvas').evaluateAll((all) => all.map((c) => `${c.clientWidth}x${c.clientHeight}`));
    const shots = () => figure.locator('canvas').evaluateAll((all) => all.map((c) => (c as HTMLCanvasElement).toDataURL()));
    const [size, last] = [await shape(), await shots()];
    let requests = 0;
    page.on('request', () => requests++);
    await slider.press('Home');
    await expect(slider).toHaveAttribute('aria-valuetext', /^checkpoint 0\b/);
    await expect.poll(async () => (await shots()).filter((shot, i) => shot === last[i])).toEqual([]);
    await slider.press('ArrowRight');
    await expect(slider).toHaveAttribute('aria-valuenow', '1');
    await slider.press('Shift+ArrowRight');
    await expect(slider).toHaveAttribute('aria-valuenow', '3');
    await expect.poll(async () => (await shots()).filter((shot, i) => shot !== last[i])).toEqual([]);
    expect(await shape()).toEqual(size);
    expect(requests, 'requests while it moves').toBe(0);
  });

  await test.step('playing from the start to the end', async () => {
    await slider.press(' ');
    await expect(figure.getByRole('button', { name: 'Pause' })).toBeVisible();
    await expect(slider).toHaveAttribute('aria-valuenow', '3');
    await expect(figure.getByRole('button', { name: 'Play' })).toBeVisible();
  });

  await test.step('by a press on the track; the picture that is exported follows', async () => {
    const box = (await slider.boundingBox())!;
    await page.mouse.click(box.x + 4, box.y + 12);
    await expect(slider).toHaveAttribute('aria-valuenow', '0');
    expect((await query(figure)).get('frame')).toBe('0');
    expect(await download(page, figure, orrery.address)).toContain('1 of 4');
    await clean(page);
  });

  await test.step('on other axes: the loss plots and the track together, by the keyboard; exported and remembered as shown', async () => {
    const axes = figure.getByRole('group', { name: 'Axes' });
    const pressed = () => axes.evaluateAll((all) => all.map((a) => a.querySelector('[aria-pressed="true"]')?.textContent));
    expect(await pressed()).toEqual(['log–log', 'log–log']);
    expect(await download(page, figure, orrery.address)).toContain('cross-entropy at the last token, by step, log–log');
    await axes.first().getByRole('button', { name: 'linear' }).focus();
    await page.keyboard.press('Enter');
    expect(await pressed()).toEqual(['linear', 'linear']);
    const asked = await query(figure);
    expect([asked.get('show.0'), asked.get('show.3')]).toEqual(['linear', 'linear']);
    expect(await download(page, figure, orrery.address)).toContain('cross-entropy at the last token, by step, linear');
    await figure.getByRole('button', { name: 'by phase' }).click();
    expect(await download(page, figure, orrery.address)).toMatch(/a, by \d+·a mod 113/);
    await page.reload();
    await expect(axes.first()).toBeVisible();
    expect(await pressed()).toEqual(['linear', 'linear']);
    await clean(page);
  });

  await test.step('and stays under the top bar while its figure is in view', async () => {
    await figure.getByText('Neurons per cluster').scrollIntoViewIfNeeded();
    const bar = (await page.getByRole('banner').boundingBox())!;
    await expect.poll(async () => Math.abs((await slider.boundingBox())!.y - bar.height)).toBeLessThan(16);
    await figure.getByRole('button', { name: 'Full screen' }).click();
    await expect.poll(() => page.evaluate(() => document.fullscreenElement?.tagName)).toBe('FIGURE');
    await figure.evaluate((f) => f.scrollTo(0, f.scrollHeight));
    await expect.poll(async () => (await slider.boundingBox())!.y).toBeLessThan(16);
    await page.keyboard.press('Escape');
    await expect.poll(() => page.evaluate(() => document.fullscreenElement)).toBeNull();
  });

  await test.step('at 390 px: panels stack, tiles scroll sideways', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    await slider.scrollIntoViewIfNeeded();
    expect((await slider.boundingBox())!.width).toBeGreaterThan(250);
    const tiles = figure.getByRole('group', { name: /^Neurons: / });
    await tiles.scrollIntoViewIfNeeded();
    await expect.poll(() => tiles.evaluate((t) => t.scrollWidth - t.clientWidth)).toBeGreaterThan(300);
    await clean(page);
  });
});

test('bars and stems are read category by category', async ({ page, orrery }) => {
  orrery.write('spectrum', '# Waves\n\n```python {#waves}\nfourier_spectrum(load("mental-2op"), numbers=100)\n```\n');
  await open(page, orrery, 'spectrum');
  await runAll(page);
  const plot = page.getByRole('group', { name: /^Embedding/ });
  await plot.focus();
  await plot.press('ArrowRight');
  await plot.press('ArrowRight');
  await expect(page.locator('.panel', { hasText: /^\s*Embedding/ }).locator('[aria-live]')).toHaveText(/^frequency k, period 100\/k 2: .* \d/);
  await clean(page);
});

const ATTENTION = `# Where heads look

\`\`\`python {#all}
m = load("mental-2op")
attention(m, "34+57=")
\`\`\`

\`\`\`python {#one}
attention(m, "34+57=", layer=2, head=1)
\`\`\`
`;

for (const scheme of ['light', 'dark'] as const) {
  test(`heads are browsed by pointer and keys, with their tokens as text, in the ${scheme} theme`, async ({ page, orrery }) => {
    await page.emulateMedia({ colorScheme: scheme });
    orrery.write('heads', ATTENTION);
    await open(page, orrery, 'heads');
    await runAll(page);
    const figure = page.getByRole('figure', { name: 'Attention', exact: true });
    const pictures = figure.getByRole('toolbar', { name: /choose the large one/ });
    await expect(pictures.getByRole('button')).toHaveCount(16);
    await pictures.scrollIntoViewIfNeeded();
    const large = figure.locator('strong').nth(1);
    const first = (await large.textContent())!;
    const height = (await figure.boundingBox())!.height;

    // Pointing shows a head, leaving goes back, a click keeps it.
    await pictures.getByRole('button', { name: 'L0H2' }).hover();
    await expect(large).toHaveText('L0H2');
    await page.mouse.move(2, 2);
    await expect(large).toHaveText(first);
    await pictures.getByRole('button', { name: 'L1H1' }).click();
    await page.mouse.move(2, 2);
    await expect(large).toHaveText('L1H1');
    await pictures.getByRole('button', { name: 'L1H1' }).press('ArrowDown');
    await expect(large).toHaveText('L2H1');
    await expect(pictures.getByRole('button', { name: 'L2H1' })).toBeFocused();
    expect((await figure.boundingBox())!.height).toBe(height);

    // The tokens have the numbers of the last row; those of one head are the same.
    const strip = (f: Locator) => f.getByRole('toolbar', { name: /coloured by attention/ });
    const values = async (f: Locator) => (await strip(f).getByRole('button').all()).map((b) => b.getAttribute('aria-label'));
    const read = async (f: Locator) => Promise.all(await values(f));
    const from = await read(figure);
    expect(from).toHaveLength(5);
    expect(from.reduce((sum, label) => sum + Number(/: (\d\.\d\d)$/.exec(label!)![1]), 0)).toBeCloseTo(1, 1);
    const one = page.getByRole('figure', { name: 'Attention of L2H1' });
    expect(await read(one)).toEqual(from);
    await strip(one).getByRole('button', { name: /^34 at 1/ }).click();
    await expect(strip(one).getByRole('button', { name: /^\+ at 2, cannot be seen/ })).toBeVisible();
    await one.getByRole('button', { name: 'to it' }).click();
    await expect(strip(one).getByRole('button', { name: /^= at 4: 0\.\d\d/ })).toHaveAttribute('aria-label', from[1]!.replace('34 at 1', '= at 4'));
    await clean(page);
  });
}
