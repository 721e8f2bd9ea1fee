// What is usual for a patient: learnt, drawn, followed by limits with the reason, and decided about by a clinician.
// NORMAL_SHOTS names a folder for pictures.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { look, LOOKS } from './axe.mjs';
import { launch, openPage, settled } from './browser.mjs';
import { until } from './scenario.mjs';
import { startServer } from './server.mjs';

const SYS = 'MDC_PRESS_BLD_NONINV_SYS';
const BASELINE = `
[[baseline]]
metric = "${SYS}"
apply = "tighten"
below = 25
above = 30
half_life_h = 8
warm_up_h = 1
slots_min = 4
spread_min = 2
`;

let server, browser, patient, page;
const get = async (path) => (await fetch(`${server.url}/api/v1${path}`)).json();
const send = (method, path, body) => fetch(`${server.url}/api/v1${path}`, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

before(async () => {
  server = await startServer();
  browser = await launch();
  const policy = await get('/policy');
  const put = await send('PUT', '/policy', { ...policy, text: policy.text + BASELINE });
  assert.ok(put.ok, await put.text());
  const now = Date.now() / 1000;
  await server.publish('vitalwire/e2e-cuff/measurements', JSON.stringify([{ n: 'MDC_PULS_RATE', v: 70 }]));
  const body = [{ device: 'e2e-cuff', identifier: 'urn:e2e|cuff', name: 'Steadyperson, Nora', birth_date: '1950-01-01', sex: 'female', since_ms: Math.round((now - 5 * 3600) * 1000) }];
  const answer = await send('POST', '/associations', body);
  assert.ok(answer.ok, await answer.text());
  patient = (await until(() => get('/ward'), (w) => w.tiles.length > 0)).tiles[0].patient.id;
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

async function shots(name) {
  const folder = process.env.NORMAL_SHOTS;
  for (const [colorScheme, width, height] of folder ? LOOKS : []) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height });
    await page.screenshot({ path: `${folder}/${name}-${width}-${colorScheme}.png`, fullPage: true });
  }
}

/** The state that the server tells of the pressure's normal. */
const normal = async () => (await get(`/patients/${patient}/own-normal`)).normals.find((n) => n.metric === SYS);

test('a normal is learnt, and the limits that follow it say why', { timeout: 300_000 }, async () => {
  // Three and a half hours of a cuff, played back: values that come late from a device that speaks live teach nothing.
  const now = Date.now() / 1000;
  for (let i = 0; i < 15; i += 1) await server.publish('vitalwire/e2e-cuff/recording', JSON.stringify([{ n: SYS, v: 122 + ((i * 7) % 5), bt: now - (14 - i) * 900 }]));
  const known = await until(normal, (n) => n?.state === 'known');
  assert.equal(known.apply, 'tighten');
  assert.ok(Math.abs(known.usual.centre - 124) < 2.5);
  page = await openPage(browser);
  await page.goto(`${server.url}/patients/${patient}`);
  const card = page.getByRole('region', { name: 'Own normal' });
  await card.getByText('limits follow').waitFor();
  const limits = page.getByRole('region', { name: 'Alarm limits' });
  await limits.getByText('follows normal').waitFor();
  await card.getByText('1 change').click();
  await card.getByText(/tightened.*own normal SYS 12/).waitFor();
  await page.getByText('the shaded ground is usual for this patient').waitFor();
  const found = await look(page, 'own normal');
  await shots('normal');
  assert.deepEqual(found, []);
});

test('a clinician pauses it with a reason, and states it; the policy is in force meanwhile', { timeout: 300_000 }, async () => {
  const card = page.getByRole('region', { name: 'Own normal' });
  const decide = () => card.getByRole('button', { name: 'Decide about' }).click();
  await decide();
  await page.getByRole('dialog', { name: /^Own normal/ }).waitFor();
  await settled(page);
  const found = await look(page, 'own normal dialog');
  await shots('dialog');
  await page.setViewportSize({ width: 1440, height: 900 });
  assert.deepEqual(found, []);
  await page.getByLabel(/^Reason/).fill('new antihypertensive');
  await page.getByRole('dialog').getByRole('button', { name: 'Decide' }).click();
  await card.getByText(/^paused by/).waitFor();
  const limits = await until(() => get(`/patients/${patient}`), (p) => p.limits.find((l) => l.metric === SYS)?.source === 'policy');
  assert.equal(limits.limits.find((l) => l.metric === SYS).low, 90);
  await decide();
  await page.getByLabel('State it: this level is normal for the patient').check();
  await page.getByLabel(/^Normal level/).fill('130');
  await page.getByLabel(/^Reason/).fill('known from the clinic');
  await page.getByRole('dialog').getByRole('button', { name: 'Decide' }).click();
  await card.getByText(/^stated by/).waitFor();
  const followed = await until(() => get(`/patients/${patient}`), (p) => p.limits.find((l) => l.metric === SYS)?.source === 'own-normal');
  assert.deepEqual(followed.limits.filter((l) => l.metric === SYS).map((l) => [l.low, l.high]), [[105, 160]]);
  assert.ok(followed.limits.find((l) => l.metric === SYS).reason.includes('known from the clinic'));
  const changes = (await get(`/patients/${patient}/own-normal`)).changes.map((c) => c.event);
  assert.deepEqual(changes.slice(-1), ['tightened']);
  assert.ok(['paused', 'stated', 'back'].every((event) => changes.includes(event)), changes.join());
  assert.deepEqual(page.problems, []);
});

test('what is decided stands in the answer', async () => {
  for (const [step, state] of [['pause', 'paused'], ['resume', 'stated'], ['pause', 'paused'], ['reset', 'learning']]) {
    const answer = await (await send('POST', `/patients/${patient}/own-normal`, { metric: SYS, step, reason: 'r' })).json();
    assert.equal(answer.normals.find((n) => n.metric === SYS).state, state, step);
  }
});

test('what is not decided in full is refused', async () => {
  for (const decision of [{ metric: SYS, step: 'pause', reason: ' ' }, { metric: SYS, step: 'state', reason: 'r' }, { metric: SYS, step: 'sing', reason: 'r' }, { metric: 'MDC_ECG_HEART_RATE', step: 'pause', reason: 'r' }, { metric: SYS, step: 'state', centre: 9999, reason: 'r' }]) {
    assert.equal((await send('POST', `/patients/${patient}/own-normal`, decision)).status, 400, JSON.stringify(decision));
  }
});
