// axe finds nothing and nothing is too wide: each page and dialog, light and dark, desk and phone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { look } from './axe.mjs';
import { launch, openPage, settled } from './browser.mjs';
import { ILL, playMonitor, until } from './scenario.mjs';
import { startServer } from './server.mjs';

let server, browser, monitor, paths;
before(async () => {
  server = await startServer();
  browser = await launch();
  monitor = await playMonitor(server, 'e2e-monitor-2', 'Testperson with a Very Long Family Name, Ada-Wilhelmina Konstantina');
  await monitor.say(ILL);
  await server.publish('e2e-axe/x/y', '{"pulse":1}');
  const get = async (path) => (await fetch(`${server.url}/api/v1${path}`)).json();
  const alert = (await until(() => get('/alerts?state=open'), (a) => a.alerts.length > 0)).alerts[0];
  const tile = (await get('/ward')).tiles.find((t) => t.patient.name.startsWith('Testperson'));
  const message = (await until(() => get('/quarantine'), (q) => q.items.some((i) => i.address === 'e2e-axe/x/y'))).items.find((i) => i.address === 'e2e-axe/x/y');
  paths = { ward: '/', patient: `/patients/${tile.patient.id}`, alerts: '/alerts', alert: `/alerts/${alert.episode}`, devices: '/devices', fleet: '/fleet', device: '/devices/e2e-monitor-2', quarantine: '/quarantine', message: `/quarantine/${message.offset}`, nowhere: '/nowhere' };
});
after(async () => {
  monitor?.stop();
  await browser?.close();
  await server?.stop();
});

test('axe finds nothing on the pages, light and dark, desk and phone', { timeout: 600_000 }, async () => {
  const page = await openPage(browser);
  const found = [];
  for (const [name, path] of Object.entries(paths)) {
    await page.goto(server.url + path);
    await settled(page);
    found.push(...(await look(page, name)));
  }
  assert.deepEqual([...found, ...page.problems], []);
});

test('axe finds nothing in the dialogs, light and dark, desk and phone', { timeout: 600_000 }, async () => {
  const page = await openPage(browser);
  const found = [];
  const dialog = async (name, open) => {
    await open();
    await page.getByRole('dialog').waitFor();
    assert.ok(await page.evaluate(() => !!document.activeElement?.closest('dialog')), `${name}: the caret is in the dialog`);
    await settled(page);
    found.push(...(await look(page, name)));
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.ok(await page.evaluate(() => document.activeElement !== document.body), `${name}: the caret goes back`);
  };
  await page.goto(server.url + paths.patient);
  await dialog('source', async () => { await page.locator('.value-card').first().click(); await page.locator('dialog .payload').waitFor(); });
  await dialog('limits', () => page.getByRole('button', { name: /^Edit/ }).first().click());
  await dialog('scale', () => page.getByRole('button', { name: '2 (88–92 %)' }).click());
  await dialog('add device', () => page.getByRole('button', { name: 'Add device' }).click());
  await dialog('help', () => page.getByRole('button', { name: 'Keys and signs' }).click());
  await page.getByRole('button', { name: 'Table' }).click();
  found.push(...(await look(page, 'trend table')));
  await page.goto(server.url + paths.alerts);
  await dialog('snooze', () => page.getByRole('button', { name: /^Snooze/ }).first().click());
  await page.goto(server.url + paths.alert);
  await dialog('escalate', () => page.locator('.alert-detail').getByRole('button', { name: /^Escalate/ }).click());
  await page.goto(server.url + paths.message);
  await dialog('discard', () => page.getByRole('button', { name: 'Discard…' }).click());
  await page.goto(server.url + paths.alerts);
  await page.getByRole('button', { name: 'History' }).click();
  await settled(page);
  found.push(...(await look(page, 'history')));
  assert.deepEqual([...found, ...page.problems], []);
});

for (const [name, users] of [['login', [['ada', 'administrator', 'correct horse battery staple 7']]], ['set-up', []]]) {
  test(`axe finds nothing on the ${name} page`, { timeout: 300_000 }, async () => {
    const locked = await startServer({ users });
    try {
      const page = await openPage(browser);
      await page.goto(locked.url);
      await page.getByLabel('Password').waitFor();
      assert.deepEqual([...(await look(page, name)), ...page.problems], []);
    } finally {
      await locked.stop();
    }
  });
}
