// axe finds nothing on any page and dialog of the security work with life in it, in both colour schemes, desk and phone; focus goes
// back to what opened a dialog; every `g x` key leads to its page.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { look } from './axe.mjs';
import { launch, openPage } from './browser.mjs';
import { startHouse } from './house.mjs';
import { enter, play, SCENES } from './scenes.mjs';

let house, browser;
const pages = new Map();
before(async () => {
  house = await startHouse({ beds: 4 });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await house?.stop();
});

/** The page of an account: logged in once. */
async function pageOf(name) {
  if (!pages.has(name)) {
    const page = await openPage(browser);
    await enter(page, house, name);
    pages.set(name, page);
  }
  return pages.get(name);
}

for (const account of new Set(SCENES.map(([, name]) => name))) {
  test(`axe finds nothing on what ${account} sees`, { timeout: 600_000 }, async () => {
    const page = await pageOf(account);
    const found = [];
    for (const scene of SCENES.filter(([, name]) => name === account)) {
      await play(page, house, scene);
      found.push(...(await look(page, scene[0])));
    }
    assert.deepEqual([...found, ...page.problems], []);
  });
}

const focused = (page) => page.evaluate(() => document.activeElement?.textContent?.trim() ?? '');

/** Who, where, what is pressed; the caret is in the dialog, and goes back with Escape. */
const DIALOGS = [
  ['nora', '/account', 'Add an authenticator app'], ['ada', '/users', 'Add an account'], ['ada', '/users', 'nora'], ['ada', '/clients', 'Register'], ['ada', '/clients', 'Remove Growth chart'],
  ['enzo', '/trust', 'New device'], ['sue', '/reviews', /^Review the access of nick/], ['peter', '/me', 'Add a consent'], ['nora', '/account', 'Keys and signs'],
];
for (const [account, path, name] of DIALOGS) {
  test(`focus comes back: ${path}, ${name}`, { timeout: 180_000 }, async () => {
    const page = await pageOf(account);
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.goto(house.url + path);
    const button = page.getByRole('button', { name, exact: typeof name === 'string' });
    await button.focus();
    const before = await focused(page);
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    assert.ok(await page.evaluate(() => !!document.activeElement?.closest('dialog')), 'the caret is in the dialog');
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press('Tab');
      assert.ok(await page.evaluate(() => !document.activeElement || document.activeElement === document.body || !!document.activeElement.closest('dialog')), 'and stays there');
    }
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.equal(await focused(page), before);
  });
}

test('a question within a panel: Escape closes one at a time', { timeout: 180_000 }, async () => {
  const page = await pageOf('enzo');
  await page.goto(`${house.url}/trust/pump-22`);
  await page.getByLabel('Why, then choose').fill('fell down');
  await page.getByRole('button', { name: 'Retire' }).click();
  const sure = page.getByRole('dialog', { name: 'Retire pump-22?' });
  await sure.waitFor();
  assert.equal(await focused(page), 'Cancel', 'what cannot be undone is not under the finger');
  await page.keyboard.press('Escape');
  await sure.waitFor({ state: 'detached' });
  assert.equal(await focused(page), 'Retire');
  assert.equal(await page.getByLabel('Why, then choose').inputValue(), 'fell down');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.equal(new URL(page.url()).pathname, '/trust');
});

test('a note that somebody types stays while the list is asked for anew', { timeout: 180_000 }, async () => {
  const page = await pageOf('enzo');
  await page.goto(`${house.url}/trust`);
  const note = page.getByPlaceholder('What was it?').first();
  await note.fill('a typing err');
  const again = page.waitForResponse((r) => r.url().endsWith('/trust/events'));
  await again;
  await page.waitForTimeout(300);
  assert.equal(await note.inputValue(), 'a typing err');
  assert.ok(await note.evaluate((field) => field === document.activeElement));
});

/** Every key after `g`: who may, and the page's heading. */
const KEYS = [
  ['ada', 'w', 'Ward'], ['ada', 'e', 'Waveforms'], ['ada', 'a', 'Alerts'], ['ada', 'd', 'Devices'], ['ada', 'f', 'Fleet'], ['ada', 'q', 'Quarantine'], ['ada', 't', 'Trust'], ['ada', 'p', 'Applications'], ['ada', 'o', 'Alarm laboratory'],
  ['ada', 'u', 'Users'], ['ada', 'c', 'Your account'], ['sue', 'r', 'Emergency accesses'], ['sue', 'l', 'Audit log'], ['peter', 'm', 'My record'],
];
test('every g key leads to its page, and to no page that is not one’s own', { timeout: 300_000 }, async () => {
  for (const [account, key, heading] of KEYS) {
    const page = await pageOf(account);
    if (!page.url().startsWith(house.url) || (await page.getByRole('dialog').count())) await page.goto(`${house.url}/account`);
    await page.locator('main h1').first().waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press(key);
    await page.getByRole('heading', { name: heading, level: 1 }).waitFor();
  }
  const nurse = await pageOf('nora');
  await nurse.goto(`${house.url}/account`);
  await nurse.getByRole('heading', { name: 'Your account', level: 1 }).waitFor();
  for (const key of ['f', 'q', 't', 'u', 'p', 'l', 'r', 'm']) {
    await nurse.keyboard.press('g');
    await nurse.keyboard.press(key);
  }
  assert.equal(new URL(nurse.url()).pathname, '/account');
});

test('on a phone the pages without room are behind More, and logging out, too', { timeout: 180_000 }, async () => {
  const page = await openPage(browser, { width: 390, height: 844 });
  await enter(page, house, 'ada');
  assert.equal(await page.getByRole('link', { name: 'Users' }).isVisible(), false);
  const more = page.getByRole('button', { name: /^More/ });
  await more.click();
  assert.deepEqual(await look(page, 'more'), []);
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByRole('dialog').getByRole('link', { name: 'Users' }).click();
  await page.getByRole('heading', { name: 'Users', level: 1 }).waitFor();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await more.click();
  await page.getByRole('dialog').getByRole('button', { name: 'Log out' }).click();
  await page.getByRole('heading', { name: 'Log in to Vitalwire' }).waitFor();
});
