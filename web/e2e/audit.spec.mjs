// The audit log: searched in plain words, a record with its proof, a table; axe, keyboard, phone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { look } from './axe.mjs';
import { launch, openPage, settled } from './browser.mjs';
import { startServer } from './server.mjs';

let server, browser;
before(async () => {
  server = await startServer();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

test('a security officer finds a record, sees its proof and takes a table away', { timeout: 180_000 }, async () => {
  const page = await openPage(browser);
  await page.goto(`${server.url}/devices`);
  await page.getByRole('heading', { name: 'Devices' }).waitFor();
  await page.goto(`${server.url}/audit`);
  await page.getByRole('heading', { name: 'Audit log' }).waitFor();
  await page.locator('.audit-table tbody tr').first().waitFor();
  await page.getByLabel('What').selectOption({ label: 'Devices' });
  await page.getByLabel('Who').fill('trial');
  await page.keyboard.press('Enter');
  await page.getByLabel('How it went').selectOption('denied');
  await page.getByText('No record fits.').waitFor();
  await page.getByRole('button', { name: 'Clear' }).click();
  await page.locator('.audit-table tbody tr').first().waitFor();
  // By keyboard alone.
  const open = page.locator('.audit-open').last();
  await open.focus();
  await page.keyboard.press('Enter');
  await page.getByText('✓ Proved').waitFor();
  const found = await look(page, 'audit');
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Export as CSV' }).click()]);
  assert.equal(download.suggestedFilename(), 'audit.csv');
  await settled(page);
  assert.deepEqual([...found, ...page.problems], []);
});
