// The worklist and care pathways in the browser: a patient who gets worse comes first with a reason, the advice is declined with a
// reason and followed to its end, by keyboard; on a phone, light and dark; axe finds nothing. WORKLIST_SHOTS names a folder for pictures.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { look, LOOKS } from './axe.mjs';
import { launch, openPage, settled } from './browser.mjs';
import { playMonitor, until, WELL } from './scenario.mjs';
import { startServer } from './server.mjs';

const POLICY = `name = "Watchful"
[[chain]]
name = "ward"
repeat_s = 3600
step = [{ role = "nurse", after_s = 0 }]
[[pathway]]
id = "fever"
title = "Fever: look for its source"
source = "a test"
when = "HR > 120"
step = [
  { id = "cultures", title = "Take blood cultures", within_min = 60 },
  { id = "fluid", title = "Give fluid", within_min = 60 },
]
[[pathway]]
id = "low"
title = "Low pulse"
source = "a test"
when = "HR < 45"
step = [{ id = "ecg", title = "Record an ECG", within_min = 10 }]
`;
let server, browser, ill, well;
const list = async () => (await (await fetch(`${server.url}/api/v1/worklist`)).json()).lines;
const line = async (name) => (await list()).find((one) => one.patient.name.startsWith(name));

before(async () => {
  server = await startServer();
  browser = await launch();
  const put = await fetch(`${server.url}/api/v1/policy`, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ text: POLICY, by: '' }) });
  assert.ok(put.ok, await put.text());
  well = await playMonitor(server, 'monitor-1', 'Ada Boole');
  ill = await playMonitor(server, 'monitor-2', 'Ines Alba');
  await well.say(WELL);
  await ill.say(WELL);
});
after(async () => {
  ill?.stop();
  well?.stop();
  await browser?.close();
  await server?.stop();
});

async function shots(page, name) {
  const folder = process.env.WORKLIST_SHOTS;
  for (const [colorScheme, width, height] of folder ? LOOKS : []) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height });
    await page.screenshot({ path: `${folder}/${name}-${width}-${colorScheme}.png`, fullPage: true });
  }
  await page.setViewportSize({ width: 1440, height: 900 });
}

test('worklist, advice, phone', { timeout: 400_000 }, async () => {
  const page = await openPage(browser);
  await page.goto(`${server.url}/worklist`);
  await page.getByRole('heading', { level: 1, name: 'Worklist' }).waitFor();
  const lines = page.getByRole('list', { name: /Patients, the one to look at first/ });
  await lines.getByRole('link', { name: /Alba|Ines/ }).waitFor();
  // Worse: the line comes to the top by itself, with why and what is suggested.
  await ill.say({ ...WELL, MDC_ECG_HEART_RATE: 135, MDC_RESP_RATE: 24 });
  await page.locator('.work-line').first().getByText('Fever: look for its source').first().waitFor();
  await page.locator('.work-line').first().getByText(/NEWS2 \d/).first().waitFor();
  await settled(page);
  const found = await look(page, 'worklist');
  await shots(page, 'suggested');

  // Declined with a reason, by keyboard; the list does not move meanwhile.
  await page.getByRole('button', { name: /^Decline… Fever/ }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  found.push(...(await look(page, 'reason')));
  await page.keyboard.type('known, seen by the team');
  await page.keyboard.press('Enter');
  await page.locator('.work-line').getByText('Declined').waitFor();
  const told = await until(async () => (await line('Alba') ?? await line('Ines'))?.pathways[0], (one) => one?.state === 'declined');
  assert.equal(told.events.at(-1).reason, 'known, seen by the team');

  // Followed after all, step by step.
  await page.getByRole('button', { name: /^Start Fever/ }).click();
  await page.getByText(/due in \d+ min/).first().waitFor();
  await shots(page, 'running');
  await page.getByRole('button', { name: /^Done Take blood cultures/ }).click();
  await page.getByRole('button', { name: /^Leave out… Give fluid/ }).click();
  await page.keyboard.type('heart failure');
  await page.keyboard.press('Enter');
  await page.getByText('Fever: look for its source').first().waitFor({ state: 'detached' });
  await page.getByRole('button', { name: /^Seen .*(Alba|Ines)/ }).click();
  await until(async () => (await line('Alba') ?? await line('Ines'))?.seen?.how, (how) => how === 'bedside');

  // The patient's page tells the story, and lets one be started that nobody suggested.
  await page.locator('.work-line').first().getByRole('link').first().click();
  await page.getByRole('heading', { name: 'Care pathways' }).waitFor();
  await page.getByText(/Fever: look for its source: Completed/).click();
  await page.getByText(/step declined \(fluid\).*heart failure/).waitFor();
  await page.getByLabel('Start another').selectOption('low');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await page.getByText('Record an ECG', { exact: true }).waitFor();
  await settled(page);
  found.push(...(await look(page, 'patient')));
  await shots(page, 'patient');

  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(`${server.url}/worklist`);
    await page.locator('.work-line').first().getByText('Low pulse').first().waitFor();
    await settled(page);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth + 1);
    assert.ok(!wide, 'nothing hangs over on a phone');
    found.push(...(await look(page, `phone ${colorScheme}`)));
  }
  assert.deepEqual(found, []);
});
