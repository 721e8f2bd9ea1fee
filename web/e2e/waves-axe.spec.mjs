// axe finds nothing on the pages and dialogs of waveforms, light and dark, desk and phone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { look } from './axe.mjs';
import { launch, openPage, settled } from './browser.mjs';
import { startServer } from './server.mjs';
import { kept, playWaves } from './waves.mjs';

let server, browser, monitors, patient;
before(async () => {
  server = await startServer();
  browser = await launch();
  monitors = [await playWaves(server, 'e2e-waxe-1', 'Testperson with a Very Long Family Name, Ada-Wilhelmina Konstantina'), await playWaves(server, 'e2e-waxe-2', 'Shortson, Bo', { channels: ['ecg'] })];
  monitors[1].electrode(true);
  patient = await kept(server, 'Testperson with a Very Long Family Name, Ada-Wilhelmina Konstantina', 12);
});
after(async () => {
  monitors?.forEach((m) => m.stop());
  await browser?.close();
  await server?.stop();
});

test('axe finds nothing on the pages of waveforms', { timeout: 600_000 }, async () => {
  const page = await openPage(browser);
  const found = [];
  const at = Date.now() - 6_000;
  const pages = { station: ['/waves', '.station-bed'], live: [`/patients/${patient}/waves`, '.strip-live'], still: [`/patients/${patient}/waves?at=${at}`, '.strip-still'], disclosure: [`/patients/${patient}/disclosure`, '.hour-rows'], print: [`/patients/${patient}/print?from=${at}&to=${at + 5_000}`, '.sheet'] };
  for (const [name, [path, part]] of Object.entries(pages)) {
    await page.goto(server.url + path);
    await page.locator(part).first().waitFor();
    await page.evaluate(() => new Promise((done) => setTimeout(done, 300)));
    found.push(...(await look(page, name)));
    if (name !== 'still') continue;
    await page.keyboard.press('c');
    await page.getByRole('slider', { name: 'First cursor' }).waitFor();
    found.push(...(await look(page, 'calipers')));
  }
  assert.deepEqual([...found, ...page.problems], []);
});

test('axe finds nothing in the dialogs of waveforms', { timeout: 600_000 }, async () => {
  const page = await openPage(browser);
  const found = [];
  const dialog = async (name, button) => {
    await page.getByRole('button', { name: button, exact: true }).click();
    await page.getByRole('dialog').waitFor();
    found.push(...(await look(page, name)));
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  };
  await page.goto(`${server.url}/waves`);
  await page.locator('.station-bed').first().waitFor();
  await dialog('beds', 'Beds');
  await page.goto(`${server.url}/patients/${patient}/waves?at=${Date.now() - 6_000}`);
  await page.locator('.strip-still').waitFor();
  await settled(page);
  await dialog('ruler', 'Ruler');
  await dialog('channels', 'Rates, gaps, drift');
  await dialog('export', 'Export');
  await dialog('keep for ever', 'Keep for ever');
  assert.deepEqual([...found, ...page.problems], []);
});
