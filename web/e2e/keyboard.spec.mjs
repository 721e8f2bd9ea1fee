// Everything by keyboard; and TI-1 when the connection goes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, openPage } from './browser.mjs';
import { playMonitor } from './scenario.mjs';
import { startServer } from './server.mjs';
import { wireTo } from './wire.mjs';

let server, browser, monitors;
before(async () => {
  server = await startServer();
  browser = await launch();
  monitors = [];
  for (const [id, name] of [['e2e-key-1', 'Aaronson, Ann'], ['e2e-key-2', 'Abelson, Ben']]) monitors.push(await playMonitor(server, id, name));
});
after(async () => {
  monitors?.forEach((m) => m.stop());
  await browser?.close();
  await server?.stop();
});

const focused = (page) => page.evaluate(() => document.activeElement?.textContent?.trim() ?? '');

test('from the ward to an alert and back without a mouse', { timeout: 180_000 }, async () => {
  const page = await openPage(browser);
  await page.goto(server.url);
  await page.locator('a.tile').nth(1).waitFor();
  await page.keyboard.press('Tab');
  assert.equal(await focused(page), 'To the content');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'main');
  for (let i = 0; i < 12 && !(await page.evaluate(() => document.activeElement?.matches('a.tile'))); i++) await page.keyboard.press('Tab');
  assert.ok(await page.evaluate(() => document.activeElement?.matches('a.tile')), 'one Tab stop leads into the tiles');
  const first = await focused(page);
  await page.keyboard.press('ArrowRight');
  assert.notEqual(await focused(page), first, 'arrows go from tile to tile');
  await page.keyboard.press('Home');
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineWidth);
  assert.ok(parseFloat(outline) >= 2, 'the focus is seen');
  await page.keyboard.press('Enter');
  await page.locator('.value-card').first().waitFor();
  assert.match(page.url(), /\/patients\//);

  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys and signs' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  for (const [key, heading] of [['a', 'Alerts'], ['d', 'Devices'], ['q', 'Quarantine'], ['w', 'Ward']]) {
    await page.keyboard.press('g');
    await page.keyboard.press(key);
    await page.getByRole('heading', { name: heading, level: 1 }).waitFor();
  }
  await page.keyboard.press('/');
  await page.keyboard.type('zzzz');
  await page.getByText('No patient fits the filter.').waitFor();
  assert.deepEqual(page.problems, []);
});

test('TI-1: without a connection nothing looks live, and it says since when', { timeout: 180_000 }, async (t) => {
  const wire = await wireTo(server.url);
  t.after(wire.stop);
  const page = await openPage(browser);
  await page.goto(wire.url);
  await page.locator('.cell.live').first().waitFor();
  wire.freeze();
  await page.getByText(/Not live since \d\d:\d\d:\d\d/).waitFor();
  assert.equal(await page.locator('.cell.live').count(), 0);
  assert.ok(await page.locator('.cell.stale s').count());
  wire.thaw();
  await page.locator('.not-live-banner').waitFor({ state: 'detached' });
  await page.locator('.cell.live').first().waitFor();
});
