// How evenly the central station draws: 16 beds with two waveforms each, over FRAMES_SECONDS (60). The figures are printed, not asserted:
// a busy machine must not fail a build. What is asserted is that it was drawing and live all the time.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, openPage } from './browser.mjs';
import { until } from './scenario.mjs';
import { startServer } from './server.mjs';
import { playWaves } from './waves.mjs';

const SECONDS = Number(process.env.FRAMES_SECONDS ?? 60), BEDS = 16;
let server, browser, monitors = [];
before(async () => {
  server = await startServer();
  browser = await launch();
  for (let i = 1; i <= BEDS; i++) monitors.push(await playWaves(server, `e2e-frames-${i}`, `Frameson, ${i}`, { rr: 560 + 30 * i, channels: i % 2 ? ['ecg', 'abp'] : ['ecg', 'pleth'] }));
  await until(() => fetch(`${server.url}/api/v1/ward`).then((r) => r.json()), (w) => w.tiles.filter((t) => t.waves).length === BEDS);
});
after(async () => {
  monitors.forEach((m) => m.stop());
  await browser?.close();
  await server?.stop();
});

test('frames a second of 16 beds with two waveforms each', { timeout: (SECONDS + 240) * 1_000 }, async () => {
  const page = await openPage(browser);
  await page.goto(`${server.url}/waves`);
  await page.waitForFunction((n) => document.querySelectorAll('.station-bed .lane-label').length === 2 * n, BEDS);
  await page.waitForTimeout(5_000);
  const processes = await browser.newBrowserCDPSession();
  const cpu = async () => (await processes.send('SystemInfo.getProcessInfo')).processInfo;
  const before = await cpu();
  const gaps = await page.evaluate((ms) => new Promise((done) => {
    const list = [];
    let last = 0;
    const begun = performance.now();
    const frame = (t) => { if (last) list.push(t - last); last = t; if (t - begun < ms) requestAnimationFrame(frame); else done(list); };
    requestAnimationFrame(frame);
  }), SECONDS * 1_000);
  const used = (await cpu()).map((p) => [p.type, (p.cpuTime - (before.find((b) => b.id === p.id)?.cpuTime ?? 0)) / SECONDS]).filter(([, share]) => share > 0.005);
  gaps.sort((a, b) => a - b);
  const total = gaps.reduce((a, b) => a + b, 0), at = (part) => gaps[Math.floor((gaps.length - 1) * part)].toFixed(1);
  console.log(`central station, ${BEDS} beds × 2 waveforms, 1440 × 900, ${SECONDS} s: ${((1_000 * gaps.length) / total).toFixed(2)} frames/s; interval median ${at(0.5)} ms, 99 % ${at(0.99)} ms, longest ${at(1)} ms, over 25 ms ${((100 * gaps.filter((g) => g > 25).length) / gaps.length).toFixed(2)} %; processor: ${used.map(([type, share]) => `${type} ${(100 * share).toFixed(0)} %`).join(', ')} of one core`);
  assert.ok(gaps.length > SECONDS, 'it was drawing');
  assert.equal(await page.getByText(/No signal since/).count(), 0, 'every bed was live to the end');
  assert.deepEqual(page.problems, []);
});
