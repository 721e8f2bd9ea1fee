// axe finds nothing and nothing is too wide: each page and dialog, light and dark, desk and phone.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { launch, openPage, settled } from './browser.mjs';
import { ILL, playMonitor, until } from './scenario.mjs';
import { startServer } from './server.mjs';

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const LOOKS = [['light', 1440, 900], ['dark', 1440, 900], ['dark', 390, 844], ['light', 390, 844]];

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
  paths = { ward: '/', patient: `/patients/${tile.patient.id}`, alerts: '/alerts', alert: `/alerts/${alert.episode}`, devices: '/devices', device: '/devices/e2e-monitor-2', quarantine: '/quarantine', message: `/quarantine/${message.offset}`, nowhere: '/nowhere' };
});
after(async () => {
  monitor?.stop();
  await browser?.close();
  await server?.stop();
});

async function violations(page) {
  // The page's policy allows no inline script: axe goes in through the debugger, as a person's extension would.
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(AXE);
  const result = await page.evaluate((tags) => globalThis.axe.run(document, { runOnly: tags, resultTypes: ['violations'] }), TAGS);
  return result.violations.flatMap((v) => v.nodes.slice(0, 4).map((n) => `${v.id}: ${n.target.join(' ')} ${n.failureSummary?.split('\n').slice(1, 2).join('').trim()}`));
}

/** Looks at what is shown now in all colours and sizes; gives what is wrong. */
async function look(page, where) {
  const found = [];
  for (const [colorScheme, width, height] of LOOKS) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height });
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100))));
    found.push(...(await violations(page)).map((v) => `${where}, ${colorScheme}, ${width} px: ${v}`));
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wide > 0) found.push(`${where}, ${width} px: ${wide} px too wide`);
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  return found;
}

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
    await settled(page);
    found.push(...(await look(page, name)));
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  };
  await page.goto(server.url + paths.patient);
  await dialog('source', async () => { await page.locator('.value-card').first().click(); await page.locator('dialog .payload').waitFor(); });
  await dialog('limits', () => page.getByRole('button', { name: /^Edit/ }).first().click());
  await dialog('help', () => page.getByRole('button', { name: 'Keys and signs' }).click());
  await page.getByRole('button', { name: 'Table' }).click();
  found.push(...(await look(page, 'trend table')));
  await page.goto(server.url + paths.alerts);
  await dialog('snooze', () => page.getByRole('button', { name: /^Snooze/ }).first().click());
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
