import type { Page } from '@playwright/test';
import { expect, open, select, test, type Program } from './program';

const LONG = Array.from({ length: 32 }, () => '34+57=').join('').slice(0, -1);

/** Opens a notebook with one cell: a sweep of about a thousand cells. The random model answers both prompts alike, so that the metric is of one answer. */
async function openSweep(page: Page, orrery: Program): Promise<void> {
  const folder = orrery.longModel();
  const base = LONG;
  const source = LONG.replace('34', '12');
  orrery.write('sweep', `# A long sweep\n\n\`\`\`python\ncausal_mediation(load("${folder}"), base="${base}", source="${source}", metric="prob")\n\`\`\`\n`);
  await open(page, orrery, 'sweep');
}

const figure = (page: Page) => page.getByRole('figure', { name: 'Causal mediation' });

test('a thousand cells arrive one by one, while the page stays quick', async ({ page, orrery }, info) => {
  test.setTimeout(300_000);
  await openSweep(page, orrery);
  await page.evaluate(() => {
    const seen = { done: [] as number[], frames: [] as number[], long: 0, heights: new Set<number>() };
    Object.assign(window, { seen });
    new PerformanceObserver((list) => (seen.long += list.getEntries().length)).observe({ type: 'longtask' });
    let last = performance.now();
    const frame = (now: number) => {
      const bar = document.querySelector('figure [role=progressbar]');
      if (bar) {
        const done = Number(bar.getAttribute('aria-valuenow'));
        if (done !== seen.done.at(-1)) seen.done.push(done);
        seen.frames.push(now - last);
        seen.heights.add(Math.round(document.querySelector('figure')!.getBoundingClientRect().height));
      }
      last = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  await page.keyboard.press('Shift+R');
  await expect(figure(page).getByRole('button', { name: 'Cancel' })).toBeVisible();
  await expect(figure(page)).toContainText(/\d+ \/ 1,\d\d\d cells · .* left/);
  await expect(figure(page).locator('.badge').first()).toBeVisible({ timeout: 200_000 });
  const seen = await page.evaluate(() => (window as unknown as { seen: { done: number[]; frames: number[]; long: number; heights: Set<number> } }).seen);
  const frames = [...seen.frames].sort((a, b) => a - b);
  const median = frames[Math.floor(frames.length / 2)]!;
  const late = frames[Math.floor(frames.length * 0.95)]!;
  // Times are said, not asserted: 16.7 ms is 60 frames a second, and the sweep computes on the same cores.
  info.annotations.push({ type: 'frames', description: `${frames.length}, median ${median.toFixed(1)} ms, 95 % ${late.toFixed(1)} ms, ${seen.long} long tasks` });
  console.log(info.annotations.at(-1)!.description);
  expect(seen.done.length, 'steps that were seen before the end').toBeGreaterThan(20);
});

test('the height of the cell stays while it runs again', async ({ page, orrery }) => {
  await openSweep(page, orrery);
  await page.keyboard.press('Shift+R');
  await expect(figure(page).locator('.badge').first()).toBeVisible({ timeout: 50_000 });
  const cell = page.getByRole('article', { name: /^Code cell/ });
  const before = (await cell.boundingBox())!.height;
  await select(cell);
  await page.keyboard.press('Control+Shift+Enter');
  await expect(figure(page).getByRole('button', { name: 'Cancel' })).toBeVisible();
  expect((await cell.boundingBox())!.height).toBeGreaterThanOrEqual(before - 1);
  await page.keyboard.press('i');
  await page.keyboard.press('i');
  await expect(cell).toHaveAccessibleName(/interrupted/);
});

test('Cancel keeps what was computed and says that it was interrupted', async ({ page, orrery }) => {
  await openSweep(page, orrery);
  await page.keyboard.press('Shift+R');
  await expect.poll(() => figure(page).getByRole('progressbar').getAttribute('aria-valuenow').then(Number)).toBeGreaterThan(3);
  await figure(page).getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByRole('article', { name: /interrupted/ })).toBeVisible({ timeout: 2000 });
  await expect(figure(page)).toBeVisible();
  await expect(figure(page).getByRole('button', { name: 'Cancel' })).toHaveCount(0);
});

test('a page that is closed and opened again in the middle misses nothing', async ({ page, orrery, context }) => {
  await openSweep(page, orrery);
  await page.keyboard.press('Shift+R');
  await expect(figure(page).getByRole('progressbar')).toBeVisible();
  await page.reload();
  await expect(figure(page).getByRole('progressbar')).toBeVisible();
  const other = await context.newPage();
  await other.goto(orrery.at('/n/sweep'));
  await expect(figure(other).getByRole('progressbar')).toBeVisible();
  await expect(figure(page).locator('.badge').first()).toBeVisible({ timeout: 50_000 });
  await expect(figure(other).locator('.badge').first()).toBeVisible();
  const words = (p: Page) => figure(p).locator('figcaption').textContent();
  expect(await words(other)).toBe(await words(page));
});
