import { AxeBuilder } from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';
import { expect, open, runAll, select, test, type Program } from './program';

const NOTEBOOK = `# Moving values

\`\`\`python
m = load("mental-2op")
\`\`\`

\`\`\`python
activation_patching(m, clean="34+57=", corrupted="12+57=")
\`\`\`
`;

const LENS = `# Moving values

\`\`\`python
m = load("mental-2op")
patch_lens(m, clean="34+57=", corrupted="12+57=", patches=[patch("blocks.2.hook_resid_post", at=-1)])
\`\`\`
`;

const fence = '```';

async function start(page: Page, orrery: Program, notebook: string): Promise<void> {
  orrery.write('moving', notebook);
  await open(page, orrery, 'moving');
  await runAll(page);
}

const figure = (page: Page, name: string) => page.getByRole('figure', { name });
const plot = (of: Locator) => of.getByRole('group', { name: /Arrow keys/ });
const source = (orrery: Program, n: number) => orrery.read('moving').split(`${fence}python`)[n]?.split(`\n${fence}`)[0]?.replace(/^.*\n/, '') ?? '';
const said = (page: Page) => page.locator('[aria-live=assertive]');

async function clean(page: Page, what: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`), what).toEqual([]);
}

test('a cell of a grid opens its patched run, in a cell that undo takes back', async ({ page, orrery }) => {
  await start(page, orrery, NOTEBOOK);
  const grid = plot(figure(page, 'Activation patching'));
  await grid.press('ArrowRight');
  await grid.press('ArrowRight');
  await grid.press('ArrowDown');
  await grid.press('Enter');
  await expect(page.getByRole('button', { name: /Open the patched run/ })).toBeVisible();
  await clean(page, 'locked card');
  await grid.press('Enter');
  const lens = figure(page, 'Patch lens');
  await expect(lens.getByText('outside the cone = corrupted run, bit for bit · 0')).toBeVisible();
  await expect(plot(lens)).toBeFocused();
  await expect(lens).toContainText(/The clean value of .* before block 2/);
  await expect.poll(() => source(orrery, 3)).toBe('patch_lens(m, clean="34+57=", corrupted="12+57=", patches=[\n    patch("blocks.2.hook_resid_pre", at=1),\n])');

  // Another cell of the same runs is one more try in the same cell.
  await grid.press('ArrowRight');
  await grid.press('Enter');
  await page.getByRole('button', { name: /Open the patched run/ }).click();
  await expect(lens.getByRole('button', { name: /^before block|^Compare before/ })).toHaveCount(4);
  await expect.poll(() => source(orrery, 3)).toContain('patch("blocks.3.hook_resid_pre", at=0)'.replace('3', '2').replace('at=0', 'at=1'));
  await expect(page.locator('.cell')).toHaveCount(4);

  await select(page.locator('.cell').first());
  await page.keyboard.press('z');
  await expect.poll(() => source(orrery, 3).match(/patch\(/g)?.length).toBe(1);
  await page.keyboard.press('z');
  await expect(page.locator('.cell')).toHaveCount(3);
});

test('keys lift a value, carry it into the corrupted run, and write the patch', async ({ page, orrery }) => {
  await start(page, orrery, LENS);
  const lens = figure(page, 'Patch lens');
  const before = source(orrery, 1);
  // From the last token of the clean run's last row to the first operand after block 0.
  for (const key of ['ArrowRight', 'ArrowLeft', 'ArrowLeft', 'ArrowLeft', 'ArrowDown', 'ArrowDown', 'ArrowDown']) await plot(lens).press(key);
  await plot(lens).press(' ');
  await expect(said(page)).toHaveText(/^Lifted token 34, layer 0, of the clean run\./);
  await clean(page, 'a value in the hand');
  await plot(lens).press('ArrowRight');
  await expect(said(page)).toHaveText(/^Over token \+, layer 0, of the corrupted run\.$/);
  await plot(lens).press('Escape');
  await expect(said(page)).toHaveText('Put back.');
  await plot(lens).press(' ');
  await plot(lens).press('Enter');
  await expect(said(page)).toHaveText(/^Dropped on token 12, layer 0, of the corrupted run/);
  await expect(lens.getByRole('button', { name: /^Compare/ })).toHaveCount(2);
  await expect(plot(lens)).toBeFocused();
  await expect.poll(() => source(orrery, 1)).toContain('    patch("blocks.0.hook_resid_post", at=1),\n])');
  await expect(lens.locator('.say')).toContainText('The clean value of 34 after block 0');
  await clean(page, 'patch lens');

  // Two tries compare; a row shows its own again.
  await lens.getByRole('button', { name: /^Compare block 2/ }).click();
  await expect.poll(() => source(orrery, 1)).toContain('show=[1, 0])');
  await expect(lens.getByRole('button', { name: /^block 2/ })).toHaveAttribute('aria-pressed', 'true');
  await lens.getByRole('button', { name: /^block 0/ }).press('Enter');
  await expect.poll(() => source(orrery, 1)).not.toContain('show=');

  await select(page.locator('.cell').first());
  for (const left of [/show=\[1, 0\]/, /at=1\),\n\]\)/, /at=-1\)\]\)/]) {
    await page.keyboard.press('z');
    await expect.poll(() => source(orrery, 1)).toMatch(left);
  }
  expect(source(orrery, 1)).toBe(before);
});

test('a pointer drags a cell; released elsewhere it does nothing', async ({ page, orrery }) => {
  await start(page, orrery, LENS);
  const lens = figure(page, 'Patch lens');
  const before = source(orrery, 1);
  const canvas = lens.locator('canvas');
  const box = (await canvas.boundingBox())!;
  // Three grids of five columns abreast: the first operand after block 0 of the first two.
  const slot = (box.width - 48) / 3;
  const x = (panel: number, column: number) => box.x + panel * (slot + 24) + slot - (4.5 - column) * ((slot - 36) / 5);
  const y = box.y + 26 + 3.5 * 24;
  await page.mouse.move(x(0, 1), y);
  await page.mouse.down();
  await page.mouse.move(x(0, 2), y, { steps: 4 });
  await expect(said(page)).toHaveText(/not here, values go into the corrupted run/);
  await page.mouse.up();
  await expect(said(page)).toHaveText(/^Not dropped/);
  await page.mouse.move(x(0, 1), y);
  await page.mouse.down();
  await page.mouse.move(x(1, 1), y, { steps: 8 });
  await expect(said(page)).toHaveText('Over token 12, layer 0, of the corrupted run.');
  await page.keyboard.press('Escape');
  await page.mouse.up();
  expect(source(orrery, 1)).toBe(before);
  await page.mouse.move(x(0, 1), y);
  await page.mouse.down();
  await page.mouse.move(x(1, 1), y, { steps: 8 });
  await page.mouse.up();
  await expect.poll(() => source(orrery, 1)).toContain('patch("blocks.0.hook_resid_post", at=1),\n])');
  await expect(lens.getByRole('button', { name: /^Compare/ })).toHaveCount(2);
});

test('a cell of one lens goes into the lens of another prompt', async ({ page, orrery }) => {
  await start(page, orrery, `# Two\n\n${fence}python\nm = load("mental-2op")\nlogit_lens(m, "34+57=")\n${fence}\n\n${fence}python\nlogit_lens(m, "12+57=")\n${fence}\n`);
  const lenses = figure(page, 'Logit lens');
  await plot(lenses.first()).press('ArrowLeft');
  await plot(lenses.first()).press('ArrowLeft');
  await plot(lenses.first()).press('ArrowDown');
  await plot(lenses.first()).press(' ');
  await expect(said(page)).toHaveText(/^Lifted token 57, layer 2, of the lens of 34\+57=\./);
  await plot(lenses.last()).press('ArrowLeft');
  await plot(lenses.last()).press('ArrowLeft');
  await plot(lenses.last()).press('ArrowDown');
  await expect(said(page)).toHaveText(/^Over token/);
  await plot(lenses.last()).press('Enter');
  await expect(figure(page, 'Patch lens').getByText(/outside the cone/)).toBeVisible();
  await expect.poll(() => source(orrery, 3)).toMatch(/^patch_lens\(m, clean="34\+57=", corrupted="12\+57=", patches=\[\n {4}patch\("blocks\.2\.hook_resid_post", at=3/);
});

const HEADS = `# Heads

${fence}python
m = load("mental-2op")
ps = prompts("{a}+{b}=", a=range(10, 50), b=range(10, 50), n=6, seed=3)
${fence}

${fence}python
activation_patching(m, n=6, sweep="attn_head_out_all_pos")
${fence}

${fence}python
knockout(m, prompts=ps, kind="mean_by_pos")
${fence}
`;

for (const scheme of ['light', 'dark'] as const) {
  test(`a locked card shows what a head reads and writes, in the ${scheme} theme`, async ({ page, orrery }) => {
    await page.emulateMedia({ colorScheme: scheme });
    await start(page, orrery, HEADS);
    const patching = figure(page, 'Activation patching');
    const grid = plot(patching);
    const before = (await patching.boundingBox())!;
    for (const key of ['ArrowRight', 'ArrowDown', 'ArrowRight', 'Enter']) await grid.press(key);
    const card = page.getByRole('group', { name: 'layer 2 · head 1, locked' });
    const head = card.getByRole('group', { name: 'What the head reads and writes' });
    await expect(head).toHaveAttribute('aria-busy', 'false');
    await expect(head.getByRole('img', { name: /^clean run: attention of 5 tokens/ })).toBeVisible();
    await expect(head.getByRole('img', { name: /^corrupted run: attention of 5 tokens/ })).toBeVisible();
    for (const word of ['reads', 'raises', 'lowers', 'direct']) await expect(head.getByText(word, { exact: true })).toHaveCount(2);
    await expect(head.locator('[aria-live]')).toHaveText(/^clean run: reads .* from = with 0\.\d\d; raises .* Writes to \S/);
    await expect(head.getByText(/^mean [+−]\d+\.\d\d ± \d+\.\d\d of 6 pairs, /)).toHaveCount(2);
    await expect(head.getByText(/^MLP [23]$/).first()).toBeVisible();
    await clean(page, 'locked card of a head');
    // It stands beside the map, and the figure has room for it: nothing lies over the caption.
    const [map, at, caption] = [(await patching.locator('canvas').boundingBox())!, (await card.boundingBox())!, (await patching.locator('figcaption').boundingBox())!];
    expect(at.x).toBeGreaterThan(map.x + 200);
    expect(at.y + at.height).toBeLessThanOrEqual(caption.y);
    expect((await patching.boundingBox())!.height).toBeGreaterThan(before.height);

    // P keeps it while another is looked at; Escape leaves one after the other.
    await grid.press('p');
    await expect(page.getByRole('group', { name: 'layer 2 · head 1, pinned' })).toBeVisible();
    await grid.press('ArrowRight');
    await grid.press('Enter');
    const second = page.getByRole('group', { name: 'layer 2 · head 2, locked' });
    await expect(second.getByRole('group', { name: /reads and writes/ })).toHaveAttribute('aria-busy', 'false');
    await expect(page.getByRole('group', { name: 'layer 2 · head 1, pinned' }).getByText('reads', { exact: true })).toHaveCount(2);
    await clean(page, 'two cards');
    await grid.press('Escape');
    await expect(second).toBeHidden();
    await grid.press('Escape');
    await expect(page.getByRole('group', { name: /pinned$/ })).toBeHidden();
    await expect.poll(async () => (await patching.boundingBox())!.height).toBe(before.height);
  });
}

test('V makes the values behind a cell a variable, which undo takes back', async ({ page, orrery }) => {
  await start(page, orrery, HEADS);
  const grid = plot(figure(page, 'Activation patching'));
  const source2 = () => source(orrery, 2);
  for (const key of ['ArrowRight', 'ArrowRight', 'Enter']) await grid.press(key);
  // What the card asks for belongs to the output that the next key replaces.
  await expect(page.getByRole('group', { name: 'What the head reads and writes' })).toHaveAttribute('aria-busy', 'false');
  await grid.press('v');
  await expect.poll(() => orrery.read('moving')).toContain('layer_3_head_1 = activation_patching_figure.values("attn_head_out_all_pos_each")[3, 1]  # 6 pairs\nlayer_3_head_1');
  expect(source2()).toBe('activation_patching_figure = activation_patching(m, n=6, sweep="attn_head_out_all_pos")');
  await expect(page.locator('.cell').nth(3)).toContainText('tensor');
  await expect(page.locator('aside').getByText('layer_3_head_1', { exact: true })).toBeVisible();
  await select(page.locator('.cell').first());
  await page.keyboard.press('z');
  await expect.poll(source2).toBe('activation_patching(m, n=6, sweep="attn_head_out_all_pos")');
  await expect(page.locator('.cell')).toHaveCount(4);
});

test('a mean knock-out over given prompts opens its run, and its head has a card of one run', async ({ page, orrery }) => {
  await start(page, orrery, HEADS);
  const grid = plot(figure(page, 'Knock-outs'));
  for (const key of ['ArrowRight', 'Enter']) await grid.press(key);
  const card = page.getByRole('group', { name: /^layer 3 · head 0, locked/ });
  await expect(card.getByRole('img', { name: /^run: attention of 5 tokens/ })).toBeVisible();
  await grid.press('Enter');
  const lens = figure(page, 'Patch lens');
  await expect(lens.getByText('outside the cone = run as it is, bit for bit · 0')).toBeVisible();
  await expect(lens.locator('.say')).toContainText('Putting the mean of 200 prompts in place of head 3.0');
  await expect.poll(() => orrery.read('moving')).toMatch(/patch_lens\(m, clean="\d\d\+\d\d=", measure="margin", prompts=ps, patches=\[\s+patch\("blocks\.3\.attn\.hook_z", heads=0, run="mean_by_pos"\),\s+\]\)/);
});

test('a patch lens keeps its metric and its lens over runs and loads', async ({ page, orrery }) => {
  await start(page, orrery, LENS);
  const lens = figure(page, 'Patch lens');
  const on = () => lens.locator('.controls button[aria-pressed=true]').allTextContents();
  expect(await on()).toEqual(['prob', 'resid']);
  await lens.getByRole('button', { name: 'rank', exact: true }).click();
  await lens.getByRole('group', { name: 'What the cells read' }).getByRole('button', { name: 'attn' }).click();
  await clean(page, 'lens of the attention outputs');
  // An attention output is moved like a value of the stream.
  for (const key of ['ArrowRight', 'ArrowDown']) await plot(lens).press(key);
  await plot(lens).press(' ');
  await expect(said(page)).toHaveText(/^Lifted token =, layer 2, attn, of the clean run\./);
  await plot(lens).press('Enter');
  await expect.poll(() => source(orrery, 1)).toContain('    patch("blocks.2.hook_attn_out", at=4),\n])');
  await expect(lens.getByRole('button', { name: /^Compare/ })).toHaveCount(2);
  expect(await on()).toEqual(['rank', 'attn']);
  await page.reload();
  await expect(lens.getByText('outside the cone = corrupted run, bit for bit · 0')).toBeVisible();
  expect(await on()).toEqual(['rank', 'attn']);
  // A call that asks for another metric itself is heard.
  const cell = page.locator('.cell').nth(1);
  await select(cell);
  await page.keyboard.press('Enter');
  await cell.getByRole('textbox').press('Control+End');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.type(', metric="change"');
  await page.keyboard.press('Control+Enter');
  await expect.poll(on).toEqual(['change', 'attn']);
});

test('long prompts stand abreast across the page, and stack where it is narrow', async ({ page, orrery }) => {
  await start(page, orrery, `# Long\n\n${fence}python\nm = load("mental-3op")\npatch_lens(m, clean="12+34+57=", corrupted="12+34+23=", patches=[patch("blocks.2.hook_resid_post", at=-1)])\n${fence}\n`);
  const lens = figure(page, 'Patch lens');
  const prose = page.locator('.cell').first();
  // Abreast, the picture is one grid high: five rows of 24 px, a title, chips and the key.
  const height = async () => (await lens.locator('canvas').boundingBox())!.height;
  for (const width of [1280, 1600]) {
    await page.setViewportSize({ width, height: 900 });
    await expect.poll(height, `${width} px`).toBeLessThan(240);
    const [figureBox, column] = [(await lens.boundingBox())!, (await prose.boundingBox())!];
    expect(figureBox.width, `${width} px`).toBeGreaterThan(column.width - 64);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
  }
  await page.setViewportSize({ width: 390, height: 900 });
  await expect.poll(height).toBeGreaterThan(400);
});
