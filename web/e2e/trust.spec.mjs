// Trust in devices on the page: a claim with its code, the life of a device, a security event that somebody takes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { look } from './axe.mjs';
import { launch, openPage, settled } from './browser.mjs';
import { until } from './scenario.mjs';
import { startServer } from './server.mjs';

const PASSWORD = 'correct horse battery staple 7';
let server, browser;
before(async () => {
  server = await startServer({ users: [['enzo', 'engineer', PASSWORD], ['nina', 'nurse', PASSWORD], ['ada', 'administrator', PASSWORD]] });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

async function logIn(page, name) {
  await page.goto(`${server.url}/trust`);
  await page.getByLabel('Account').fill(name);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Log in' }).click();
}

/** Tries to enrol with a code that does not hold. */
const guess = (device) => fetch(`${server.url}/.well-known/est/simpleenroll`, {
  method: 'POST', body: 'MAA=', headers: { authorization: `Basic ${Buffer.from(`${device}:0000-0000-0000-0000-0000`).toString('base64')}` },
});

test('a device is claimed, its code shown once, and retired', { timeout: 180_000 }, async () => {
  const page = await openPage(browser);
  await logIn(page, 'enzo');
  await page.getByRole('heading', { name: 'Trust', level: 1 }).waitFor();
  await page.getByRole('button', { name: 'New device' }).click();
  await page.getByLabel('Device id').fill('pump-1');
  await page.getByLabel('Kind').selectOption('pump');
  await page.getByLabel('Why').fill('Bought for bed 4');
  await page.getByRole('button', { name: 'Claim and show the code' }).click();
  const code = await page.locator('.code-text').textContent();
  assert.match(code, /^([0-9a-z]{4}-){4}[0-9a-z]{4}$/);
  await until(() => page.locator('img.qr').evaluate((img) => img.complete && img.naturalWidth > 0), (shown) => shown);
  assert.deepEqual(await look(page, 'code'), []);
  await page.keyboard.press('Escape');
  assert.equal(await page.getByText(code).count(), 0, 'it is not shown again');
  const row = page.locator('table.trusted tr', { hasText: 'pump-1' });
  await row.getByText('Claimed').waitFor();
  assert.deepEqual(await look(page, 'trust'), []);
  await row.getByRole('link', { name: 'pump-1' }).click();
  await page.getByText('Waits for the device to prove its key').waitFor();
  assert.ok(await page.getByRole('button', { name: 'Retire' }).isDisabled(), 'not without a reason');
  await page.getByLabel('Why').fill('Broke at delivery');
  assert.deepEqual(await look(page, 'device'), []);
  await page.getByRole('button', { name: 'Retire' }).click();
  const sure = page.getByRole('dialog', { name: 'Retire pump-1?' });
  await sure.getByText('It goes out of service for good').waitFor();
  assert.deepEqual(await look(page, 'retire'), []);
  await sure.getByRole('button', { name: 'Retire', exact: true }).click();
  await page.getByText('Out of service for good').waitFor();
  await page.getByText('Broke at delivery').waitFor();
  assert.deepEqual(page.problems, []);
});

test('a security event is seen on every page and taken with a note', { timeout: 180_000 }, async () => {
  assert.equal((await guess('pump-9')).status, 401);
  const page = await openPage(browser);
  await logIn(page, 'enzo');
  await page.getByText('Enrolment refused').waitFor();
  await settled(page);
  await page.locator('nav .nav-badge', { hasText: 'security events not looked at' }).waitFor();
  assert.deepEqual(await look(page, 'event'), []);
  await page.getByLabel('Note on: Enrolment refused pump-9').fill('a typing error');
  await page.getByRole('button', { name: 'Take', exact: true }).click();
  await page.getByText('All looked at').waitFor();
  await page.getByLabel('Those taken, too').check();
  await page.getByText('Taken by enzo: a typing error').waitFor();
  assert.deepEqual(page.problems, []);
});

test('a nurse has no business there', { timeout: 180_000 }, async () => {
  const page = await openPage(browser);
  await logIn(page, 'nina');
  await page.getByRole('heading', { name: 'Not for this role' }).waitFor();
  assert.equal(await page.evaluate(async () => (await fetch('/api/v1/trust/devices')).status), 403);
});
