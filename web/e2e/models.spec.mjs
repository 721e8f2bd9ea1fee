// Risk models in the browser: each has its card with figures, and a patient who gets worse is told with reasons on the ward and on the
// patient's page; risks that do not come true are told to the owner, who looks into it; a challenger stands beside the champion; light and
// dark, on a phone, and axe finds nothing. MODELS_SHOTS names a folder for pictures.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { look, LOOKS } from './axe.mjs';
import { launch, openPage, settled } from './browser.mjs';
import { until } from './scenario.mjs';
import { startServer } from './server.mjs';

const DEVICE = 'e2e-player';
const HOURS = 12;
// A ward of some days: values every two hours, and every second patient declines every other day out of the blue.
const LONG = 8, DAYS = 12, STEP_H = 2;
let server, browser, patient, folder;
const get = async (path) => (await fetch(`${server.url}/api/v1${path}`)).json();
/** Well for half of the hours, then worse by the hour. */
const values = (hour) => {
  const ill = Math.max(0, (hour - HOURS / 2) / (HOURS / 2));
  return { MDC_ECG_HEART_RATE: 76 + 54 * ill, MDC_PULS_OXIM_SAT_O2: 97 - 8 * ill, MDC_RESP_RATE: 14 + 17 * ill, MDC_TEMP_BODY: 36.8 + 2.4 * ill, MDC_PRESS_BLD_NONINV_SYS: 126 - 32 * ill, MDC_PRESS_BLD_NONINV_DIA: 74 - 22 * ill, MDC_PRESS_BLD_NONINV_MEAN: 91 - 25 * ill };
};
const play = (at, said, device = DEVICE) => server.publish(`vitalwire/${device}/recording`, JSON.stringify(Object.entries(said).map(([n, v], i) => ({ n, v: Math.round(v * 10) / 10, ...(i ? {} : { bt: at }) }))));

/** The shipped model with other odds, as a challenger of the same family. */
async function challenger() {
  folder = await mkdtemp(join(tmpdir(), 'vitalwire-challenger-'));
  const model = JSON.parse(await readFile(new URL('../../crates/predict/models/deterioration-vitals.json', import.meta.url), 'utf8'));
  model.calibration.intercept += 1.2;
  const file = join(folder, 'challenger.json');
  await writeFile(file, JSON.stringify({ ...model, id: 'deterioration-next', version: '2.0.0', title: 'Deterioration, next' }));
  return file;
}
const answered = async (path, body) => {
  const answer = await fetch(`${server.url}/api/v1${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  assert.ok(answer.ok, await answer.text());
};
async function ward() {
  const begin = Math.floor(Date.now() / 1_000) - DAYS * 86_400 - 7_200;
  const devices = Array.from({ length: LONG }, (_, at) => `long-${at}`);
  for (const device of devices) await play(begin - 600, { MDC_ECG_HEART_RATE: 75 }, device);
  await answered('/associations', devices.map((device, at) => ({ device, identifier: `urn:e2e|${device}`, name: `Ward, ${at}`, birth_date: `19${40 + at * 5}-01-01`, sex: at % 2 ? 'male' : 'female', since_ms: (begin - 60) * 1_000 })));
  await Promise.all(devices.map(async (device, at) => {
    for (let step = 0; step * STEP_H < DAYS * 24; step += 1) {
      const low = at % 2 === 0 && [9, 10].includes(step % 24);
      await play(begin + step * STEP_H * 3_600, { ...values(0), ...(low ? { MDC_PULS_OXIM_SAT_O2: 82 } : {}) }, device);
    }
  }));
}

before(async () => {
  const config = `[models]\nshipped = "champion"\nowner = "Dr Ada Test"\n[[models.model]]\nfile = "${await challenger()}"\nrole = "shadow"\n`;
  server = await startServer({ config });
  browser = await launch();
  const begin = Math.floor(Date.now() / 1_000) - (HOURS + 1) * 3_600;
  await play(begin - 600, { MDC_ECG_HEART_RATE: 75 });
  const body = [{ device: DEVICE, identifier: 'urn:e2e|worse', name: 'Alba, Ines', birth_date: '1950-01-01', sex: 'female', since_ms: (begin - 60) * 1_000 }];
  await answered('/associations', body);
  patient = (await until(() => get('/ward'), (ward) => ward.tiles.length > 0)).tiles[0].patient.id;
  for (let step = 0; step <= HOURS * 4; step += 1) await play(begin + step * 900, values(step / 4));
  await until(() => get(`/patients/${patient}`), (page) => page.risks.some((risk) => risk.class === 'high' && risk.trend.length > 5), 180);
  await ward();
});
after(async () => {
  await browser?.close();
  await server?.stop();
  if (folder) await rm(folder, { recursive: true });
});

async function shots(page, name, part) {
  const folder = process.env.MODELS_SHOTS;
  for (const [colorScheme, width, height] of folder ? LOOKS : []) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height });
    const file = `${folder}/${name}-${width}-${colorScheme}.png`;
    await (part ? part.screenshot({ path: file }) : page.screenshot({ path: file, fullPage: true }));
  }
  await page.setViewportSize({ width: 1440, height: 900 });
}

test('every model has its card', { timeout: 400_000 }, async () => {
  const { models } = await get('/models');
  assert.ok(models.length >= 3, JSON.stringify(models));
  const page = await openPage(browser);
  await page.goto(`${server.url}/models`);
  await page.getByRole('heading', { level: 1, name: 'Risk models' }).waitFor();
  const found = [];
  for (const model of models) {
    const link = page.getByRole('navigation', { name: 'Models' }).getByRole('link', { name: new RegExp(model.version.split('+')[0].replaceAll('.', '\\.')) }).filter({ hasText: model.title });
    await link.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 2, name: model.title }).waitFor();
    assert.equal(await link.getAttribute('aria-current'), 'page');
    for (const fact of ['Predicts', 'Intended use', 'Cannot do', 'Data']) await page.getByText(fact, { exact: true }).waitFor();
    await page.getByRole('region', { name: /^Figures: / }).first().waitFor();
    const group = page.locator('section[aria-labelledby=model-title] details').last();
    await group.locator('summary').click();
    await group.getByRole('region', { name: /^Figures: / }).waitFor();
    found.push(...(await look(page, `card of ${model.id}`)));
    await shots(page, `card-${model.id}`);
  }
  assert.deepEqual([...found, ...page.problems], []);
});

test('who gets worse is told with reasons', { timeout: 400_000 }, async () => {
  const page = await openPage(browser);
  await page.goto(server.url);
  await page.getByText(/raised by a model/).first().waitFor({ state: 'attached' });
  await page.goto(`${server.url}/patients/${patient}`);
  const card = page.getByRole('region', { name: 'Risk models' });
  const risk = card.getByRole('region').filter({ hasText: 'Raised: a look is proposed' }).first();
  await risk.waitFor();
  await risk.getByText('What moves it:').waitFor();
  await risk.getByText(/^between .* and /).waitFor();
  await risk.getByRole('img', { name: /^Risk over the last hours, now \d/ }).waitFor();
  await settled(page);
  const found = await look(page, 'patient');
  await shots(page, 'patient');
  await shots(page, 'risk', card);
  await risk.getByRole('link').click();
  await page.getByRole('heading', { level: 1, name: 'Risk models' }).waitFor();
  await page.getByText('Intended use', { exact: true }).waitFor();
  await page.goto(`${server.url}/worklist`);
  await page.getByText(/risk/i).first().waitFor();
  assert.deepEqual([...found, ...page.problems], []);
});

test('what the watch found is told, and whoever looked into it is kept', { timeout: 400_000 }, async () => {
  await until(() => get('/models/deterioration-vitals/watch'), (watch) => watch.notice && watch.outcomes.risks >= 50, 180);
  const page = await openPage(browser);
  await page.goto(`${server.url}/models/deterioration-vitals`);
  const notices = page.getByRole('region', { name: 'To look into' });
  await notices.getByText('Outcomes').first().waitFor();
  await notices.getByText(/more events come than the model expects/i).first().waitFor();
  const here = page.getByRole('region', { name: 'How it does here' });
  await here.getByText('Dr Ada Test').waitFor();
  await here.getByText(/^Of \d+ risks, \d+ came true where/).waitFor();
  const beside = page.getByRole('region', { name: 'Beside each other', exact: true });
  await beside.getByRole('region', { name: 'Models beside each other' }).waitFor();
  await beside.getByRole('img', { name: /^Calibration/ }).waitFor();
  await beside.getByText('NEWS2').waitFor();
  const found = await look(page, 'watch and comparison');
  await shots(page, 'watch');
  await shots(page, 'compare', beside);
  for (const closed of ['How it would become champion', 'Calibration as numbers']) {
    const summary = beside.getByText(closed).first();
    await summary.focus();
    await page.keyboard.press('Enter');
  }
  await beside.getByText(/role = "champion"/).first().waitFor();
  await beside.getByRole('region', { name: 'Calibration as numbers' }).waitFor();
  await beside.getByRole('button', { name: '7 days' }).click();
  await beside.getByText(/moments of \d+ patients/).waitFor();
  found.push(...(await look(page, 'comparison, unfolded')));
  await shots(page, 'compare-unfolded', beside);
  const button = notices.getByRole('button', { name: /Looked into.*Deterioration from vital signs|Looked into/ }).first();
  await button.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').getByLabel(/What was found/).waitFor();
  found.push(...(await look(page, 'looked into')));
  await shots(page, 'looked-into');
  const asked = (await get('/models/watch')).filter((watch) => watch.notice).length;
  await page.getByRole('dialog').getByLabel(/What was found/).focus();
  await page.keyboard.type('declines played in by a test');
  await page.keyboard.press('Enter');
  await page.getByText('Noted: the watch begins anew').waitFor();
  await until(() => get('/models/watch'), (watches) => watches.filter((watch) => watch.notice).length === asked - 1);
  assert.deepEqual([...found, ...page.problems], []);
});

test('no model is said as such', { timeout: 200_000 }, async () => {
  const page = await openPage(browser);
  await page.goto(`${server.url}/models/no-such-model`);
  await page.locator('main').getByRole('alert').getByText(/./).waitFor();
  assert.deepEqual(await look(page, 'no such model'), []);
});
