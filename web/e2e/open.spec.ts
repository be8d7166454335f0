import { EXAMPLE, expect, open, picture, runAll, test } from './program';

test('a first visit opens the example, runs it and reads its figures', async ({ page, orrery }) => {
  await page.goto(orrery.address);
  await expect(page).toHaveURL(new RegExp(`/n/${EXAMPLE}$`));
  await expect(page.locator('.prose h1')).toHaveText('Where does 34 + 57 become 91?');
  await expect(page.locator('header .chip b')).toHaveText('mental-2op');
  await runAll(page);

  const lens = page.getByRole('figure', { name: 'Logit lens' });
  await expect(lens.locator('.badge')).toContainText('last layer = logits');
  await expect(lens.locator('figcaption')).toContainText('91');
  await expect(page.getByRole('figure', { name: 'Causal mediation' }).locator('.badge')).not.toHaveCount(0);
  await expect(page.getByRole('region', { name: 'Variables' }).getByText('lens')).toBeVisible();

  // The last cell of the last layer says the answer.
  const plot = lens.getByRole('group', { name: /Arrow keys walk/ });
  await plot.focus();
  await plot.press('ArrowRight');
  await plot.press('ArrowRight');
  await expect(lens.locator('[aria-live]')).toContainText(/layer 3 · position 4, token =: prob 0\.\d+; best 91/);
});

test('the metric switch recolours without asking the server', async ({ page, orrery }) => {
  await open(page, orrery);
  await runAll(page);
  const lens = page.getByRole('figure', { name: 'Logit lens' });
  const before = await picture(lens);
  await lens.scrollIntoViewIfNeeded();
  const controls = lens.getByRole('group', { name: /What the colour/ });
  const place = async () => [await lens.boundingBox(), await controls.boundingBox()].map((b) => [b?.y, b?.height]);
  const placed = await place();
  let requests = 0;
  page.on('request', () => requests++);
  for (const metric of ['logit', 'rank', 'entropy', 'KL to final', 'log-prob diff']) {
    await lens.getByRole('button', { name: metric, exact: true }).click();
    await expect(lens.getByRole('button', { name: metric, exact: true })).toHaveAttribute('aria-pressed', 'true');
    expect((await picture(lens)) === before, metric).toBe(false);
    expect(await place(), 'nothing moves').toEqual(placed);
  }
  await lens.getByRole('button', { name: 'prob', exact: true }).click();
  expect((await picture(lens)) === before, 'the first picture again').toBe(true);
  expect(requests).toBe(0);
});

test('a click locks the card of a cell, Escape unlocks it', async ({ page, orrery }) => {
  await open(page, orrery);
  await runAll(page);
  const lens = page.getByRole('figure', { name: 'Logit lens' });
  const canvas = lens.locator('canvas');
  await canvas.scrollIntoViewIfNeeded();
  const box = (await canvas.boundingBox())!;
  await page.mouse.move(box.x + box.width - 80, box.y + 15);
  const card = lens.locator('.card');
  await expect(card).toContainText('layer 3 · position 4');
  // Beside the cell, never over it.
  expect((await card.boundingBox())!.x + (await card.boundingBox())!.width).toBeLessThan(box.x + box.width - 80);
  await page.mouse.click(box.x + box.width - 80, box.y + 15);
  await page.mouse.move(box.x + 10, box.y - 200);
  await expect(card).toHaveClass(/locked/);
  await lens.getByRole('group', { name: /Arrow keys/ }).press('Escape');
  await expect(card).toHaveCount(0);
});

test('a figure fills the screen and comes back', async ({ page, orrery }) => {
  await open(page, orrery);
  await runAll(page);
  const lens = page.getByRole('figure', { name: 'Logit lens' });
  const narrow = (await lens.locator('canvas').boundingBox())!.width;
  await lens.getByRole('button', { name: 'Full screen' }).click();
  await expect.poll(async () => (await lens.locator('canvas').boundingBox())!.width).toBeGreaterThan(narrow);
  await lens.getByRole('button', { name: 'Leave full screen' }).click();
  await expect.poll(async () => (await lens.locator('canvas').boundingBox())!.width).toBe(narrow);
});

test('the list of notebooks shows the recorded figure and starts a new one', async ({ page, orrery, expected }) => {
  expected.push(/WebSocket is closed before/); // the browser's word for leaving a page while it connects
  await open(page, orrery);
  await runAll(page);
  await page.getByRole('link', { name: 'All notebooks' }).click();
  const plate = page.getByRole('link', { name: /Where does 34/ });
  await expect(plate.getByRole('img', { name: /Logit lens/ })).toBeVisible();
  await expect(plate).toContainText('recorded');
  await page.keyboard.press('/');
  await page.keyboard.type('nothing like it');
  await expect(plate).toHaveCount(0);
  await page.getByLabel('Find a notebook').fill('57');
  await page.keyboard.press('Escape');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(new RegExp(`/n/${EXAMPLE}$`));
  await page.goBack();
  await page.getByRole('heading', { name: 'An atlas of mental arithmetic' }).waitFor();
  await page.keyboard.press('l');
  await expect(page).toHaveURL(/\/n\/untitled/);
  await expect(page.getByRole('figure', { name: 'Logit lens' }).locator('.badge')).toBeVisible();
});

test('an empty notebook offers three ways to start', async ({ page, orrery }) => {
  await page.goto(orrery.at('/'));
  await page.getByRole('button', { name: /New notebook/ }).click();
  await expect(page.getByRole('button', { name: /A lens/ })).toBeVisible();
  await expect(page.getByRole('button', { name: /A probe/ })).toBeVisible();
  await page.keyboard.press('p');
  await expect(page.getByRole('figure', { name: 'Causal mediation' }).locator('figcaption')).not.toBeEmpty();
});

test('a notebook that is not there says so', async ({ page, orrery, expected }) => {
  expected.push(/404/);
  await page.goto(orrery.at('/n/nothing'));
  await expect(page.getByRole('heading', { name: /“nothing” cannot be opened/ })).toBeVisible();
  await expect(page.locator('main')).toContainText(/There is no notebook "nothing"\.\s*The start page lists what there is\./);
  await expect(page.locator('header [role=status]')).toHaveText('Not opened');
  await page.getByRole('button', { name: 'All notebooks' }).click();
  await expect(page.getByRole('link', { name: /Where does 34/ })).toBeVisible();
});

test('a page of an earlier start says so, and goes on once another tab has signed in', async ({ page, orrery, expected, context }) => {
  expected.push(/./); // the browser reports each refused connection
  await open(page, orrery);
  const { port } = orrery;
  await orrery.kill();
  await expect(page.getByText(/Connection lost for \d+ s/)).toBeVisible();
  await orrery.start(port);
  await expect(page.getByRole('alert')).toContainText('Orrery was started anew.', { timeout: 20_000 });
  await expect(page.getByText(/Connection lost/)).toHaveCount(0);
  await expect(page.locator('.prose h1')).toBeVisible();
  const other = await context.newPage();
  await other.goto(orrery.at('/'));
  await expect(page.getByRole('alert')).toHaveCount(0, { timeout: 20_000 });
});

test('the start page waits for a server that is gone', async ({ page, orrery, expected }) => {
  expected.push(/./);
  await page.goto(orrery.at('/'));
  await page.getByRole('link', { name: /Where does 34/ }).waitFor();
  await page.route('**/api/**', (route) => route.abort());
  await page.keyboard.press('n');
  await expect(page.getByRole('alert')).toContainText('The server does not answer.');
  await page.unroute('**/api/**');
  await expect(page.getByRole('alert')).toHaveCount(0);
});
