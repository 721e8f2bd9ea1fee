// A locked server: nobody sees anything without logging in, and each role what belongs to it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, openPage, settled } from './browser.mjs';
import { until } from './scenario.mjs';
import { startServer } from './server.mjs';

const PASSWORD = 'correct horse battery staple 7';
let server, browser;
before(async () => {
  server = await startServer({ users: [['nina', 'nurse', PASSWORD], ['enzo', 'engineer', PASSWORD], ['ada', 'administrator', PASSWORD]] });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

async function logIn(page, name, password = PASSWORD) {
  await page.getByLabel('Account').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

const nav = (page) => page.locator('nav a').evaluateAll((links) => links.map((l) => l.firstChild?.textContent));

test('without logging in there is only the login page', { timeout: 180_000 }, async () => {
  const page = await openPage(browser);
  await page.goto(`${server.url}/alerts`);
  await page.getByRole('heading', { name: 'Log in to Vitalwire' }).waitFor();
  for (const path of ['/ward', '/alerts', '/devices', '/quarantine', '/live']) {
    assert.equal((await fetch(`${server.url}/api/v1${path}`)).status, 401, path);
  }
  await logIn(page, 'nina', 'wrong password 123');
  await page.getByText('Name or password is wrong.').waitFor();
  await logIn(page, 'nina');
  await page.getByRole('heading', { name: 'Alerts', level: 1 }).waitFor();
  assert.deepEqual(page.problems, []);
});

test('a nurse sees patients and alerts, no quarantine, and is told so at its address', { timeout: 180_000 }, async () => {
  const page = await openPage(browser);
  await page.goto(server.url);
  await logIn(page, 'nina');
  await page.getByText('No patient is on the ward yet.').waitFor();
  assert.deepEqual(await nav(page), ['Ward', 'Waves', 'Alerts', 'Worklist', 'Devices', 'Models']);
  await page.goto(`${server.url}/quarantine`);
  await page.getByRole('heading', { name: 'Not for this role' }).waitFor();
  const refused = await page.evaluate(async () => (await fetch('/api/v1/quarantine')).status);
  assert.equal(refused, 403, 'the server refuses it, too');
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByRole('heading', { name: 'Log in to Vitalwire' }).waitFor();
  await page.goto(server.url);
  await page.getByRole('heading', { name: 'Log in to Vitalwire' }).waitFor();
  assert.deepEqual(page.problems, []);
});

test('an engineer sees devices and quarantine, no ward and nothing that claims to be live', { timeout: 180_000 }, async () => {
  const page = await openPage(browser);
  await page.goto(server.url);
  await logIn(page, 'enzo');
  await page.getByRole('heading', { name: 'Devices', level: 1 }).waitFor();
  await settled(page);
  assert.deepEqual(await nav(page), ['Devices', 'Fleet', 'Quarantine', 'Trust', 'Burden', 'Laboratory']);
  assert.equal(await page.locator('.live-sign, .not-live-banner').count(), 0);
  await page.keyboard.press('g');
  await page.keyboard.press('q');
  await page.getByText('Everything that arrived was understood.').waitFor();
  assert.deepEqual(page.problems, []);
});

test('a session that ends is noticed: the login page comes by itself', { timeout: 180_000 }, async () => {
  const page = await openPage(browser);
  await page.goto(server.url);
  await logIn(page, 'ada');
  await page.getByRole('heading', { name: 'Ward', level: 1 }).waitFor();
  assert.deepEqual(await nav(page), ['Ward', 'Waves', 'Alerts', 'Worklist', 'Devices', 'Fleet', 'Quarantine', 'Trust', 'Applications', 'Models', 'Burden', 'Laboratory', 'Users']);
  await page.context().clearCookies();
  await page.keyboard.press('g');
  await page.keyboard.press('d');
  await page.getByRole('heading', { name: 'Log in to Vitalwire' }).waitFor();
});

test('a new installation: the first administrator is made with the link that the server printed', { timeout: 180_000 }, async () => {
  const fresh = await startServer({ users: [] });
  try {
    const [, code] = await until(async () => /\/setup#(\S+)/.exec(fresh.said()), Boolean);
    const page = await openPage(browser);
    await page.goto(fresh.url);
    await page.getByRole('heading', { name: 'Set up Vitalwire' }).waitFor();
    await page.getByLabel('Account').fill('first');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByLabel('Set-up code').fill('AAAA-AAAA-AAAA-AAAA-AAAA');
    await page.getByRole('button', { name: 'Create the administrator' }).click();
    await page.getByText('This is not the code that the server printed.').waitFor();
    await page.getByLabel('Set-up code').fill(code);
    await page.getByRole('button', { name: 'Create the administrator' }).click();
    await page.getByText('No patient is on the ward yet.').waitFor();
    assert.deepEqual(page.problems, []);
  } finally {
    await fresh.stop();
  }
});
