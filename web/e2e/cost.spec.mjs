// What the ward page costs. The processor's part is printed, not asserted: a busy machine must not fail a build. The budget is a tenth
// of one core for 40 beds at 1 Hz; the size of the scripts, 150 kB compressed in all, does not depend on the machine and is asserted.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, openPage, settled } from './browser.mjs';
import { playMonitor } from './scenario.mjs';
import { startServer } from './server.mjs';

const SECONDS = Number(process.env.COST_SECONDS ?? 20);
let server, browser, monitors;
before(async () => {
  server = await startServer();
  browser = await launch();
  monitors = [];
  for (let i = 1; i <= 40; i++) monitors.push(await playMonitor(server, `e2e-bed-${i}`, `Bed, ${i}`));
});
after(async () => {
  monitors?.forEach((m) => m.stop());
  await browser?.close();
  await server?.stop();
});

const metric = async (cdp, name) => (await cdp.send('Performance.getMetrics')).metrics.find((m) => m.name === name).value;

test('what 40 beds at 1 Hz cost the browser', { timeout: (SECONDS + 180) * 1_000 }, async () => {
  const page = await openPage(browser);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Performance.enable');
  await page.goto(server.url);
  await page.locator('a.tile').nth(39).waitFor();
  await page.waitForTimeout(5_000);
  const processes = await browser.newBrowserCDPSession();
  const cpu = async () => (await processes.send('SystemInfo.getProcessInfo')).processInfo;
  const before = await cpu();
  const [task, script, style, layout] = await Promise.all(['TaskDuration', 'ScriptDuration', 'RecalcStyleDuration', 'LayoutDuration'].map((n) => metric(cdp, n)));
  await page.waitForTimeout(SECONDS * 1_000);
  const share = ((await metric(cdp, 'TaskDuration')) - task) / SECONDS;
  const part = async (name, from) => (((await metric(cdp, name)) - from) / SECONDS * 100).toFixed(2);
  const after = await cpu();
  const byType = ['renderer', 'GPU', 'browser'].map((type) => {
    const used = after.filter((p) => p.type === type).reduce((sum, p) => sum + p.cpuTime - (before.find((b) => b.id === p.id)?.cpuTime ?? 0), 0);
    return `${type} ${((used / SECONDS) * 100).toFixed(1)}%`;
  });
  console.log(`ward page, 40 beds at 1 Hz, ${SECONDS} s: main thread ${(share * 100).toFixed(2)}% of one core, budget 10% (script ${await part('ScriptDuration', script)}%, style ${await part('RecalcStyleDuration', style)}%, layout ${await part('LayoutDuration', layout)}%); processes: ${byType.join(', ')}`);
  assert.equal(await page.locator('.tile .cell.live').first().count(), 1);
  assert.match(await page.locator('.live-sign').textContent(), /Live/, 'live to the end');
});

test('all scripts together are under 150 kB compressed', { timeout: 180_000 }, async () => {
  const page = await openPage(browser);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Network.enable');
  await cdp.send('Network.setCacheDisabled', { cacheDisabled: true });
  const scripts = new Map(), urls = new Map();
  cdp.on('Network.responseReceived', (e) => { if (e.type === 'Script') urls.set(e.requestId, e.response.url); });
  cdp.on('Network.loadingFinished', (e) => { if (urls.has(e.requestId)) scripts.set(urls.get(e.requestId), e.encodedDataLength); });
  await page.goto(server.url);
  const tile = page.locator('a.tile').first();
  await tile.waitFor();
  const first = [...scripts.values()].reduce((a, b) => a + b, 0);
  await tile.click();
  await page.locator('.chart canvas').first().waitFor();
  for (const [key, heading] of [['e', 'Waveforms'], ['a', 'Alerts'], ['d', 'Devices'], ['q', 'Quarantine']]) {
    await page.keyboard.press('g');
    await page.keyboard.press(key);
    await page.getByRole('heading', { name: heading, level: 1 }).waitFor();
    await settled(page);
  }
  const all = [...scripts.values()].reduce((a, b) => a + b, 0);
  console.log(`compressed script: ward page ${(first / 1000).toFixed(1)} kB, all pages ${(all / 1000).toFixed(1)} kB in ${scripts.size} files`);
  assert.ok(all < 150_000, `${all}`);
});
