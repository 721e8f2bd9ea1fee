// What alarms cost, on the page: a monitor that chatters is named, an alert is judged, the scores say that there are too few to tell;
// by keyboard, on a phone and on paper, and axe finds nothing. BURDEN_SHOTS names a folder for pictures.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { look } from './axe.mjs';
import { launch, openPage, settled } from './browser.mjs';
import { playMonitor, until, WELL } from './scenario.mjs';
import { startServer } from './server.mjs';

const POLICY = `name = "Nervous"
[[chain]]
name = "ward"
repeat_s = 3600
step = [{ role = "nurse", after_s = 0 }]
[[limit]]
metric = "MDC_PULS_OXIM_SAT_O2"
low = 92
group = "saturation"
`;
// Near the limit, so that no value is a jump, which would raise nothing.
const QUIET = { ...WELL, MDC_PULS_OXIM_SAT_O2: 95 };
let server, browser, monitor;
const alerts = async (state) => (await (await fetch(`${server.url}/api/v1/alerts?state=${state}`)).json()).alerts;

before(async () => {
  server = await startServer();
  browser = await launch();
  const put = await fetch(`${server.url}/api/v1/policy`, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ text: POLICY, by: '' }) });
  assert.ok(put.ok, await put.text());
  monitor = await playMonitor(server, 'nervous-1', 'Ines Alba');
  await monitor.say(QUIET);
  for (let n = 1; n <= 11; n += 1) {
    await monitor.say({ ...WELL, MDC_PULS_OXIM_SAT_O2: 90 - (n % 3) });
    await until(() => alerts('all'), (all) => all.length >= n);
    await monitor.say(QUIET);
    await until(() => alerts('open'), (all) => all.length === 0);
  }
});
after(async () => {
  monitor?.stop();
  await browser?.close();
  await server?.stop();
});

async function shots(page, name) {
  const folder = process.env.BURDEN_SHOTS;
  if (folder) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}

test('burden, verdict, scores', { timeout: 400_000 }, async () => {
  const page = await openPage(browser);
  await page.goto(`${server.url}/burden`);
  await page.getByText('alerts in').first().waitFor();
  assert.match(await page.getByRole('list', { name: 'Chattering' }).textContent(), /Oxygen saturation low.*nervous-1.*11 alerts/);
  assert.match(await page.getByRole('list', { name: 'Floods' }).textContent(), /11 alerts/);
  await page.getByRole('list', { name: 'Limits' }).getByText(/spared/).first().waitFor();
  await page.getByRole('heading', { name: 'How often scores were right here' }).waitFor();
  await page.getByRole('link', { name: /^\d{4}-W\d\d$/ }).waitFor();
  await settled(page);
  await shots(page, 'burden-1440-light');
  const found = await look(page, 'burden');

  await page.getByRole('button', { name: 'Day' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('list', { name: 'Floods' }).getByText(/11 alerts/).waitFor();
  const table = await (await fetch(new URL(await page.getByRole('link', { name: 'CSV' }).getAttribute('href'), server.url))).text();
  assert.match(table, /device,nervous-1,,alerts,11/);

  await page.getByRole('link', { name: /^\d{4}-W\d\d$/ }).click();
  await page.getByRole('heading', { level: 1, name: /Alarm burden, \d{4}-W\d\d/ }).waitFor();
  found.push(...(await look(page, 'report')));

  // An alert that is over is judged.
  const [last] = await alerts('resolved');
  await page.goto(`${server.url}/alerts/${last.episode}`);
  const artefact = page.getByRole('button', { name: 'Artefact' });
  await artefact.focus();
  await page.keyboard.press('Enter');
  await page.getByText('Judged: artefact').first().waitFor();
  await page.getByRole('button', { name: 'Artefact', pressed: true }).waitFor();
  await settled(page);
  await shots(page, 'judged-1440-light');
  found.push(...(await look(page, 'judged')));

  await page.goto(`${server.url}/patients/${last.patient.id}`);
  await page.getByRole('heading', { name: 'All scores' }).waitFor();
  await page.locator('.other-score summary').first().click();
  await page.getByText(/right here: /).first().waitFor();
  await settled(page);
  await shots(page, 'scores-1440-light');
  found.push(...(await look(page, 'scores')));
  assert.deepEqual([...found, ...page.problems], []);
});

for (const [width, height, colorScheme] of [[1440, 900, 'dark'], [390, 844, 'light'], [390, 844, 'dark']]) {
  test(`burden at ${width} in ${colorScheme}`, { timeout: 200_000 }, async () => {
    const page = await openPage(browser, { width, height, colorScheme });
    await page.goto(`${server.url}/burden`);
    await page.getByText('alerts in').first().waitFor();
    await settled(page);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(wide <= 0, `${wide} pixels too wide`);
    await shots(page, `burden-${width}-${colorScheme}`);
    assert.deepEqual(page.problems, []);
  });
}
