// The live picture under trouble: the program restarted, the network gone, two screens, a slow phone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, openPage } from './browser.mjs';
import { ILL, playMonitor, until, WELL } from './scenario.mjs';
import { startServer } from './server.mjs';
import { wireTo } from './wire.mjs';

let server, browser, monitor;
before(async () => {
  server = await startServer();
  browser = await launch();
  monitor = await playMonitor(server, 'e2e-live-1', 'Liveson, Lea');
});
after(async () => {
  monitor?.stop();
  await browser?.close();
  await server?.stop();
});

const get = async (path) => (await fetch(`${server.url}/api/v1${path}`)).json();
const tileOf = (page) => page.locator('a.tile', { hasText: 'Liveson, Lea' });
const isLive = (page) => page.waitForFunction(() => document.querySelector('.live-sign')?.textContent?.includes('Live') && document.querySelector('.cell.live'));

test('TI-1: the program is restarted under an open page, which says so and recovers without a reload', { timeout: 300_000 }, async () => {
  const page = await openPage(browser);
  await page.goto(server.url);
  await tileOf(page).waitFor();
  await isLive(page);
  await page.evaluate(() => { globalThis.notReloaded = true; });
  const said = { ...WELL, MDC_ECG_HEART_RATE: 91 };
  await server.halt('SIGKILL');
  await page.getByText(/Not live since \d\d:\d\d:\d\d/).waitFor();
  assert.equal(await page.locator('.cell.live').count(), 0, 'nothing looks live');
  assert.ok(await page.locator('.cell.stale s').count(), 'values are struck through');
  const told = monitor.say(said);
  await server.resume();
  await told;
  await page.locator('.not-live-banner').waitFor({ state: 'detached' });
  await isLive(page);
  await tileOf(page).getByText('91').first().waitFor();
  assert.ok(await page.evaluate(() => globalThis.notReloaded), 'the page was not loaded again');
  assert.deepEqual(page.problems, []);
});

test('what happened while the network was away is there when it returns, from the position where it was cut', { timeout: 300_000 }, async (t) => {
  const wire = await wireTo(server.url);
  t.after(wire.stop);
  const page = await openPage(browser);
  const positions = [];
  page.on('request', (r) => { if (r.url().endsWith('/live')) positions.push(r.headers()['last-event-id']); });
  await page.goto(wire.url);
  await tileOf(page).waitFor();
  await isLive(page);
  wire.freeze();
  await page.locator('.not-live-banner').waitFor();
  await monitor.say(ILL);
  await until(() => get('/alerts?state=open'), (a) => a.alerts.some((x) => x.patient?.name === 'Liveson, Lea' && x.priority === 'high'), 120);
  assert.equal(await tileOf(page).locator('.alarm-bar.high').count(), 0, 'the page cannot know yet');
  wire.thaw();
  await page.locator('.not-live-banner').waitFor({ state: 'detached' });
  await tileOf(page).locator('.alarm-bar.high').waitFor();
  assert.equal(positions[0], undefined, 'the first request has no position');
  assert.ok(positions.slice(1).some((p) => /^\d+$/.test(p ?? '')), 'a later one goes on from where it was');
});

test('two screens: what is done on one is seen on the other', { timeout: 300_000 }, async () => {
  await monitor.say(ILL);
  const [one, two] = [await openPage(browser), await openPage(browser)];
  for (const page of [one, two]) {
    await page.goto(`${server.url}/alerts`);
    await page.locator('.alert-row.high:not(.quiet)', { hasText: 'Liveson, Lea' }).first().waitFor();
  }
  await one.locator('.alert-row.high', { hasText: 'Liveson, Lea' }).first().getByRole('button', { name: /^Acknowledge/ }).click();
  await two.locator('.alert-row.high.quiet', { hasText: 'Liveson, Lea' }).first().getByText('acknowledged by').waitFor();
  assert.deepEqual([...one.problems, ...two.problems], []);
});

test('a slow phone on a slow network shows the ward, and stays live', { timeout: 300_000 }, async () => {
  const page = await openPage(browser, { width: 390, height: 844 });
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Network.enable');
  await cdp.send('Network.emulateNetworkConditions', { offline: false, latency: 300, downloadThroughput: 50_000, uploadThroughput: 20_000 });
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  const begun = Date.now();
  await page.goto(server.url);
  await tileOf(page).locator('.cell.live').first().waitFor();
  console.log(`slow phone (400 kbit/s, 300 ms, a quarter of the processor): first live value after ${((Date.now() - begun) / 1000).toFixed(1)} s`);
  const heard = () => page.locator('.live-time').textContent();
  const first = await heard();
  await page.waitForFunction((before) => document.querySelector('.live-time')?.textContent !== before && document.querySelector('.live-sign:not(.off)'), first);
  assert.deepEqual(page.problems, []);
});
