// A deterioration appears, is escalated, is acknowledged, and resolves.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, openPage } from './browser.mjs';
import { ILL, playMonitor, until, WELL } from './scenario.mjs';
import { startServer } from './server.mjs';

let server, browser, monitor;
before(async () => {
  server = await startServer();
  browser = await launch();
  monitor = await playMonitor(server, 'e2e-monitor-1', 'Testperson, Eva');
});
after(async () => {
  monitor?.stop();
  await browser?.close();
  await server?.stop();
});

test('a deterioration appears, is escalated, acknowledged, and resolves', { timeout: 300_000 }, async () => {
  const page = await openPage(browser);
  await page.goto(server.url);
  const tile = page.locator('a.tile', { hasText: 'Testperson, Eva' });
  await tile.waitFor();
  await page.waitForFunction(() => document.querySelector('.live-sign')?.textContent?.includes('Live'));

  await monitor.say(ILL);
  await tile.locator('.alarm-bar.high').waitFor();
  assert.match(await tile.textContent(), /!!!High/);
  assert.ok(await tile.locator('.cell-value.p3, .cell-value.p2').count(), 'the values that score are coloured');
  assert.match(await tile.textContent(), /122\+2/, 'the heart rate bears the points that the score gives it');

  await page.keyboard.press('g');
  await page.keyboard.press('a');
  const row = page.locator('.alert-row', { hasText: 'Testperson, Eva' }).filter({ hasText: 'High' }).first();
  await row.waitFor();
  await row.locator('.alert-title a').click();
  const detail = page.locator('.alert-detail');
  await detail.locator('[data-state=raised]').waitFor();

  // The alert changes, and a reading of it is slow to come, while the dialog asks: it stays modal and hears Escape.
  const readings = () => detail.getByRole('heading', { name: /^It came from/ }).textContent();
  const before = await detail.locator('.timeline li').count() + (await readings());
  await detail.getByRole('button', { name: /^Escalate/ }).click();
  await page.route('**/api/v1/readings/**', async (route) => { await new Promise((r) => setTimeout(r, 700)); await route.continue(); });
  await monitor.say({ ...ILL, MDC_PULS_OXIM_SAT_O2: 82, MDC_ECG_HEART_RATE: 141 });
  await until(async () => await detail.locator('.timeline li').count() + (await readings()), (now) => now !== before);
  await page.unroute('**/api/v1/readings/**', { behavior: 'wait' });
  assert.ok(await page.getByRole('dialog').evaluate((e) => e.matches(':modal')), 'the dialog is still modal');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });

  await detail.getByRole('button', { name: /^Escalate/ }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Escalate', exact: true }).click();
  await detail.getByText('(level 1)').waitFor();
  await detail.locator('.timeline', { hasText: 'Escalated' }).waitFor();

  await detail.getByRole('button', { name: /^Acknowledge/ }).click();
  await detail.locator('[data-state=acknowledged]').waitFor();
  await page.goto(server.url);
  await tile.getByText('✓ Ack').waitFor();

  await monitor.say(WELL);
  await tile.locator('.alarm-bar.none').waitFor({ timeout: 180_000 });
  await page.goto(`${server.url}/alerts`);
  await page.getByRole('button', { name: 'History' }).click();
  await page.locator('.alert-row.closed', { hasText: 'Testperson, Eva' }).first().waitFor();
  assert.deepEqual(page.problems, []);
});

test('a number leads to its message (PR-1)', { timeout: 180_000 }, async () => {
  const page = await openPage(browser);
  await page.goto(server.url);
  await page.locator('a.tile', { hasText: 'Testperson, Eva' }).click();
  await page.locator('.value-card', { hasText: 'HR' }).first().click();
  const panel = page.getByRole('dialog');
  await panel.getByText(/^vitalwire\/e2e-monitor-1\/measurements$/).waitFor();
  assert.match(await panel.locator('.payload').textContent(), /MDC_ECG_HEART_RATE/);
  await page.keyboard.press('Escape');
  await panel.waitFor({ state: 'detached' });
  await page.locator('.chart canvas').first().waitFor();
  assert.deepEqual(page.problems, []);
});
