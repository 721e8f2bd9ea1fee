// Waveforms in the browser: the station sweeps and says what is wrong; freeze, scroll and calipers by keyboard; full disclosure; a slow link.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, openPage, PATIENCE } from './browser.mjs';
import { ILL, senml, until } from './scenario.mjs';
import { startServer } from './server.mjs';
import { kept, playWaves } from './waves.mjs';
import { wireTo } from './wire.mjs';

let server, browser, ada, ben, patient;
before(async () => {
  server = await startServer();
  browser = await launch();
  ada = await playWaves(server, 'e2e-wave-1', 'Waveson, Ada');
  ben = await playWaves(server, 'e2e-wave-2', 'Waveson, Ben', { rr: 600, channels: ['ecg', 'pleth'] });
  await kept(server, 'Waveson, Ben', 5);
  patient = await kept(server, 'Waveson, Ada', 40);
});
after(async () => {
  ada?.stop();
  ben?.stop();
  await browser?.close();
  await server?.stop();
});

const get = async (path) => (await fetch(`${server.url}/api/v1${path}`)).json();
const bed = (page, name) => page.locator('a.station-bed', { hasText: name });
/** Waits until something is drawn on the canvas and has changed after a while. */
const moves = (canvas) => canvas.evaluate(async (c, patience) => {
  const look = () => { const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let sum = 0; for (let i = 3; i < d.length; i += 4) sum = (sum * 31 + d[i]) % 1_000_003; return [sum, d.some((v, i) => i % 4 === 3 && v > 0)]; };
  const [first] = look();
  for (const end = Date.now() + patience; Date.now() < end; await new Promise((r) => setTimeout(r, 50))) {
    const [now, drawn] = look();
    if (drawn && now !== first) return true;
  }
  return false;
}, PATIENCE);

test('the station sweeps; a bed that falls silent says since when, and goes on', { timeout: 240_000 }, async () => {
  const page = await openPage(browser);
  await page.goto(server.url);
  await page.locator('a.tile').first().waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('e');
  await page.getByRole('heading', { name: 'Waveforms', level: 1 }).waitFor();
  for (const name of ['Waveson, Ada', 'Waveson, Ben']) {
    await bed(page, name).locator('.lane-label.ecg').getByText('ECG II').first().waitFor();
    assert.ok(await moves(bed(page, name).locator('canvas')), `${name} moves`);
  }
  assert.equal(await bed(page, 'Waveson, Ada').locator('.lane-label.abp').count(), 1, 'arterial pressure before pleth');
  assert.equal(await bed(page, 'Waveson, Ben').locator('.lane-label.pleth').count(), 1, 'pleth without it');
  ben.rest();
  await bed(page, 'Waveson, Ben').getByText(/No signal since \d\d:\d\d:\d\d/).first().waitFor();
  assert.equal(await bed(page, 'Waveson, Ada').getByText(/No signal/).count(), 0);
  ben.go();
  await bed(page, 'Waveson, Ben').getByText(/No signal/).first().waitFor({ state: 'detached' });
  assert.deepEqual(page.problems, []);
});

test('an electrode that falls off is named at the bed', { timeout: 240_000 }, async () => {
  const page = await openPage(browser);
  await page.goto(`${server.url}/waves`);
  await bed(page, 'Waveson, Ben').locator('.lane-label.ecg').waitFor();
  ben.electrode(true);
  await bed(page, 'Waveson, Ben').locator('.lane-bad', { hasText: /ECG II: (lead off|flat)/ }).waitFor();
  ben.electrode(false);
  await until(() => bed(page, 'Waveson, Ben').locator('.lane-bad').count(), (n) => n === 0);
  assert.deepEqual(page.problems, []);
});

test('from bed to strip, freeze, scroll and measure without a mouse', { timeout: 240_000 }, async () => {
  const page = await openPage(browser);
  await page.goto(`${server.url}/waves`);
  await bed(page, 'Waveson, Ada').focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Home');
  assert.match(await page.evaluate(() => document.activeElement.textContent), /Waveson, Ada/);
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/patients\/[^/]+\/waves/);
  await page.locator('.strip-live').waitFor();
  assert.ok(await moves(page.locator('.strip-live canvas').nth(1)), 'live');
  await page.evaluate(() => document.activeElement?.blur());
  await page.keyboard.press(' ');
  const still = page.locator('.strip-still canvas');
  await still.waitFor();
  assert.match(await page.locator('.strip-when').textContent(), /Not live/);
  // Twenty seconds back; what is there comes from the store.
  for (let i = 0; i < 2; i++) await page.keyboard.press('Shift+ArrowLeft');
  await page.waitForFunction(() => /beats: 1\d /.test(document.querySelector('.strip-still canvas')?.getAttribute('aria-label') ?? ''));
  const label = () => still.getAttribute('aria-label');
  const first = await label();
  await page.keyboard.press('ArrowLeft');
  await page.waitForFunction((old) => document.querySelector('.strip-still canvas')?.getAttribute('aria-label') !== old, first);

  await page.keyboard.press('c');
  const [a, b] = [page.getByRole('slider', { name: 'First cursor' }), page.getByRole('slider', { name: 'Second cursor' })];
  assert.match(await a.getAttribute('aria-valuetext'), /(79\d|80\d) ms · 75 \/min/, 'the cursors stand on two neighbouring beats of a heart of 75');
  await b.focus();
  const before = Number(await b.getAttribute('aria-valuenow'));
  await page.keyboard.press('Shift+ArrowRight');
  const step = Number(await b.getAttribute('aria-valuenow')) - before;
  assert.ok(step > 90 && step < 120, `ten pixels are ${step} ms at 25 mm/s`);
  await page.keyboard.press('ArrowDown');
  assert.match(await b.getAttribute('aria-valuetext'), /mmHg/, 'the next channel');
  await page.keyboard.press('c');
  await a.waitFor({ state: 'detached' });
  await page.waitForURL(/at=\d+/);
  const address = page.url();
  await page.keyboard.press('l');
  await page.locator('.strip-live').waitFor();
  await page.goto(address);
  await page.waitForFunction(() => /beats: 1\d /.test(document.querySelector('.strip-still canvas')?.getAttribute('aria-label') ?? ''), undefined, { timeout: PATIENCE });
  assert.deepEqual(page.problems, []);
});

test('an hour on a screen; a minute of it opens its strip', { timeout: 240_000 }, async () => {
  const page = await openPage(browser);
  await page.goto(`${server.url}/patients/${patient}/disclosure?hour=${Date.now() - 60_000}`);
  await page.waitForFunction(() => Number(document.querySelector('#hour-beats + .muted')?.textContent?.replace(/\D/g, '')) > 10);
  await page.waitForFunction(() => { const c = document.querySelector('.hour-box canvas'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; const [r, g, b] = d; let n = 0; for (let i = 0; i < d.length; i += 4) n += Math.abs(d[i] - r) + Math.abs(d[i + 1] - g) + Math.abs(d[i + 2] - b) > 300; return n > 200; });
  await page.locator('.hour-rows a').first().focus();
  await page.keyboard.press('End');
  assert.match(await page.evaluate(() => document.activeElement.textContent), /:59/);
  await page.keyboard.press('PageUp');
  await page.getByRole('button', { name: 'The hour after' }).click();
  const minute = new Date(Date.now() - 60_000);
  await page.locator('.hour-rows a', { hasText: `${String(minute.getHours()).padStart(2, '0')}:${String(minute.getMinutes()).padStart(2, '0')}` }).first().focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/waves\?at=\d+/);
  await page.locator('.strip-still').waitFor();
  assert.deepEqual(page.problems, []);
});

test('an alert shows its strip and leads to it', { timeout: 300_000 }, async () => {
  const speak = () => server.publish('vitalwire/e2e-wave-1/measurements', senml(ILL)).catch(() => undefined);
  const timer = setInterval(() => void speak(), 1_000);
  try {
    const { alerts } = await until(() => get(`/alerts?state=open&patient=${patient}`), (a) => a.alerts.some((x) => x.priority === 'high'), 120);
    const page = await openPage(browser);
    await page.goto(`${server.url}/alerts/${alerts.find((a) => a.priority === 'high').episode}`);
    const strip = page.locator('.alert-strip canvas');
    await strip.waitFor();
    assert.match(await strip.getAttribute('aria-label'), /^ECG II and ABP around /);
    await page.getByRole('link', { name: 'All waveforms around the alert' }).click();
    await page.locator('.strip-still').waitFor();
    await page.locator('.overview-alerts button').first().waitFor();
    assert.match(await page.locator('.strip-when').textContent(), /Not live/);
    assert.deepEqual(page.problems, []);
  } finally {
    clearInterval(timer);
  }
});

test('TI-1: without a connection no waveform looks live', { timeout: 240_000 }, async (t) => {
  const wire = await wireTo(server.url);
  t.after(wire.stop);
  const page = await openPage(browser);
  await page.goto(`${wire.url}/waves`);
  assert.ok(await moves(bed(page, 'Waveson, Ada').locator('canvas')));
  wire.freeze();
  await bed(page, 'Waveson, Ada').getByText(/No signal since \d\d:\d\d:\d\d/).first().waitFor();
  await page.getByText(/Not live since/).waitFor();
  wire.thaw();
  await bed(page, 'Waveson, Ada').getByText(/No signal since/).first().waitFor({ state: 'detached' });
});

test('a viewer on a slow link is sent less, and the page says so', { timeout: 300_000 }, async (t) => {
  const wire = await wireTo(server.url);
  t.after(wire.stop);
  const page = await openPage(browser);
  await page.goto(`${wire.url}/patients/${patient}/waves`);
  assert.ok(await moves(page.locator('.strip-live canvas').nth(1)));
  assert.equal(await page.getByText('thinned: slow connection').count(), 0);
  wire.slow(600);
  await page.getByText('thinned: slow connection').first().waitFor({ timeout: 120_000 });
  assert.ok(await moves(page.locator('.strip-live canvas').nth(1)), 'it still moves');
  // Who comes to a link that is slow already is not cut off and filled anew for ever.
  const late = await openPage(browser);
  await late.goto(`${wire.url}/patients/${patient}/waves`);
  await late.getByText('thinned: slow connection').first().waitFor({ timeout: 120_000 });
  wire.slow(0);
  await page.getByText('thinned: slow connection').first().waitFor({ state: 'detached', timeout: 180_000 });
  assert.deepEqual(page.problems, []);
});
