// axe finds nothing: each page, light and dark, desk and phone, and the dialogs.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { launch, openPage } from './browser.mjs';
import { playMonitor, ILL } from './scenario.mjs';
import { startServer } from './server.mjs';

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

let server, browser, monitor, paths;
before(async () => {
  server = await startServer();
  browser = await launch();
  monitor = await playMonitor(server, 'e2e-monitor-2', 'Testperson, Ada');
  await monitor.say(ILL);
  await server.publish('e2e-axe/x/y', '{"pulse":1}');
  await new Promise((r) => setTimeout(r, server.real ? 15_000 : 2_500));
  const get = async (path) => (await fetch(`${server.url}/api/v1${path}`)).json();
  const tile = (await get('/ward')).tiles.find((t) => t.patient.name === 'Testperson, Ada');
  const alert = (await get('/alerts?state=open')).alerts[0];
  const message = (await get('/quarantine')).items.find((i) => i.address === 'e2e-axe/x/y');
  paths = ['/', `/patients/${tile.patient.id}`, '/alerts', ...(alert ? [`/alerts/${alert.episode}`] : []), '/devices', `/devices/e2e-monitor-2`, '/quarantine', `/quarantine/${message.offset}`, '/nowhere'];
});
after(async () => {
  monitor?.stop();
  await browser?.close();
  await server?.stop();
});

async function violations(page) {
  // The page's policy allows no inline script: axe goes in through the debugger, as a person's extension would.
  await page.evaluate(AXE);
  const result = await page.evaluate((tags) => globalThis.axe.run(document, { runOnly: tags, resultTypes: ['violations'] }), TAGS);
  return result.violations.flatMap((v) => v.nodes.slice(0, 4).map((n) => `${v.id}: ${n.target.join(' ')} ${n.failureSummary?.split('\n').slice(1, 2).join('').trim()}`));
}

for (const colorScheme of ['light', 'dark']) {
  for (const [width, height] of [[1440, 900], [390, 844]]) {
    test(`axe finds nothing, ${colorScheme}, ${width} px`, { timeout: 240_000 }, async () => {
      const page = await openPage(browser, { colorScheme, width, height });
      const found = [];
      const look = async (where) => {
        found.push(...(await violations(page)).map((v) => `${where} ${v}`));
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (wide > 0) found.push(`${where} is ${wide} px too wide`);
      };
      for (const path of paths) {
        await page.goto(server.url + path);
        await page.waitForTimeout(1_500);
        await look(path);
      }
      await page.goto(server.url + paths[1]);
      await page.locator('.value-card').first().click();
      await page.locator('dialog .payload').waitFor();
      await look('source panel');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Table' }).click();
      await look('trend table');
      await page.getByRole('button', { name: /^Edit/ }).first().click();
      await look('limits dialog');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Keys and signs' }).click();
      await look('help');
      await page.keyboard.press('Escape');
      await page.goto(`${server.url}/alerts`);
      await page.getByRole('button', { name: /^Snooze/ }).first().click();
      await look('snooze dialog');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'History' }).click();
      await page.waitForTimeout(500);
      await look('history');
      assert.deepEqual([...found, ...page.problems], []);
    });
  }
}
