// Break-glass, a change of consent, and the report of who saw what, as people do it in a browser.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { look } from './axe.mjs';
import { launch, openPage, settled } from './browser.mjs';
import { until } from './scenario.mjs';
import { startServer } from './server.mjs';

const PASSWORD = 'correct horse battery staple 7';
const USERS = [
  ['nora', 'nurse', PASSWORD, '--unit', 'ICU'], ['nick', 'nurse', PASSWORD, '--unit', 'Ward 2'], ['clara', 'charge-nurse', PASSWORD, '--unit', 'Ward 2'],
  ['phil', 'pharmacist', PASSWORD], ['sue', 'security-officer', PASSWORD], ['ada', 'administrator', PASSWORD], ['peter', 'patient', PASSWORD, '--patient', 'pat-b'],
];
let server, browser;

/** A session of an account for calls without a page. */
async function session(name) {
  const answer = await fetch(`${server.url}/api/v1/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name, password: PASSWORD }) });
  assert.ok(answer.ok, await answer.text());
  const cookie = answer.headers.get('set-cookie').split(';')[0];
  return (method, path, body) => fetch(server.url + path, { method, headers: { cookie, 'content-type': 'application/json' }, body: body && JSON.stringify(body) });
}

before(async () => {
  server = await startServer({ users: USERS });
  browser = await launch();
  const ada = await session('ada');
  const put = async (resource) => {
    const answer = await ada('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource);
    assert.ok(answer.ok, await answer.text());
  };
  for (const [patient, unit, family] of [['pat-a', 'ICU', 'Adamsson'], ['pat-b', 'Ward 2', 'Bergström']]) {
    await put({ resourceType: 'Location', id: `bed-${patient}`, status: 'active', name: `${unit} 1`, physicalType: { coding: [{ code: 'bd' }] }, partOf: { display: unit } });
    await put({ resourceType: 'Patient', id: patient, birthDate: '1950-01-01', name: [{ family }], identifier: [{ system: 'urn:mrn', value: `MRN-${patient}`, type: { coding: [{ code: 'MR' }] } }] });
    await put({ resourceType: 'Encounter', id: `stay-${patient}`, status: 'in-progress', class: { code: 'IMP' }, subject: { reference: `Patient/${patient}` }, location: [{ location: { reference: `Location/bed-${patient}` } }] });
    const pulse = { resourceType: 'Observation', status: 'final', subject: { reference: `Patient/${patient}` }, code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] }, effectiveDateTime: new Date().toISOString(), valueQuantity: { value: 71, unit: '/min', system: 'http://unitsofmeasure.org', code: '/min' } };
    const answer = await ada('POST', '/fhir/Observation', pulse);
    assert.ok(answer.ok, await answer.text());
  }
  await until(async () => (await (await ada('GET', '/api/v1/ward')).json()).tiles, (tiles) => tiles.length === 2);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

async function enter(name, path = '/') {
  const page = await openPage(browser);
  await page.goto(server.url + path);
  await page.getByLabel('Account').fill(name);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.locator('header.top').waitFor();
  return page;
}

test('break-glass: refused, opened with a reason, shown, ended, reviewed by somebody else', { timeout: 300_000 }, async () => {
  const page = await enter('nora');
  await page.getByText('Adamsson').first().waitFor();
  assert.equal(await page.getByText('Bergström').count(), 0, 'another unit’s patient is on no list');
  await page.goto(`${server.url}/patients/pat-b`);
  const dialog = page.getByRole('dialog', { name: 'This patient is not one of yours' });
  await dialog.waitFor();
  await dialog.getByText('Your name, the time and your reason are recorded.').waitFor();
  const found = await look(page, 'break-glass dialog');
  await dialog.getByLabel('Reason').selectOption('alarm');
  await dialog.getByLabel(/In your words/).fill('alarm next door and nobody there');
  await dialog.getByLabel('For how long').selectOption('15');
  await dialog.getByRole('button', { name: 'Open the record' }).click();
  await dialog.getByText(/The record is open for you until/).waitFor();
  await dialog.getByRole('button', { name: 'To the patient' }).click();
  await page.getByText('Bergström').first().waitFor();
  const banner = page.locator('.emergency-banner');
  await banner.getByText(/1[45] min left/).waitFor();
  found.push(...(await look(page, 'patient, open in an emergency')));
  await banner.getByRole('button', { name: 'End now' }).click();
  await banner.waitFor({ state: 'detached' });
  await page.goto(`${server.url}/patients/pat-b`);
  await dialog.waitFor();

  const reviewer = await enter('clara', '/reviews');
  await reviewer.getByText('alarm next door and nobody there').waitFor();
  found.push(...(await look(reviewer, 'reviews')));
  await reviewer.getByRole('button', { name: /^Review the access of nora/ }).click();
  await reviewer.getByLabel('Justified', { exact: true }).check();
  await reviewer.getByLabel('Note').fill('was there');
  found.push(...(await look(reviewer, 'review dialog')));
  await reviewer.getByRole('button', { name: 'Keep the review' }).click();
  await reviewer.getByText('Justified · clara').waitFor();
  assert.deepEqual([...found, ...page.problems, ...reviewer.problems], []);
});

test('a consent is changed by the patient, and the other role sees nothing at once', { timeout: 300_000 }, async () => {
  const watching = await enter('phil', '/patients/pat-b');
  await watching.getByText('Bergström').first().waitFor();
  const values = async () => (await watching.evaluate(async () => (await (await fetch('/api/v1/ward')).json()).tiles)).find((t) => t.patient.id === 'pat-b')?.values.length ?? 0;
  assert.equal(await values(), 1);
  const patient = await enter('peter');
  await patient.getByRole('heading', { name: 'My record', level: 1 }).waitFor();
  await patient.getByText('Bergström').waitFor();
  await patient.getByRole('button', { name: 'Add a consent' }).click();
  const form = patient.getByRole('dialog');
  await form.getByLabel('Whom is it about?').selectOption('role');
  await form.getByLabel(/^Role/).selectOption('pharmacist');
  await form.getByLabel('Vital signs').check();
  const found = await look(patient, 'consent dialog');
  await patient.getByRole('button', { name: 'Save the consent' }).click();
  const line = patient.locator('.consents p', { hasText: 'Everybody with the role pharmacist may not see vital signs.' });
  await line.waitFor();
  assert.equal(await values(), 0, 'gone before the patient reads that it is');
  const refused = await watching.evaluate(async () => (await fetch('/api/v1/patients/pat-b/trends?metrics=MDC_ECG_HEART_RATE&from=0&to=4000000000000')).status);
  assert.equal(refused, 403);
  await settled(patient);
  found.push(...(await look(patient, 'my record')));
  await patient.getByRole('button', { name: /^Take back/ }).first().click();
  await line.first().waitFor({ state: 'hidden' });
  assert.equal(await values(), 1);
  assert.deepEqual([...found, ...patient.problems], []);
});

test('who saw what: the patient and the security officer read it, others do not', { timeout: 300_000 }, async () => {
  const nick = await session('nick');
  assert.equal((await nick('GET', '/api/v1/patients/pat-b')).status, 200);
  const patient = await enter('peter');
  const report = patient.getByRole('region', { name: 'Who saw what' });
  await report.getByText('nick').first().waitFor();
  await report.getByText('Opened the record').first().waitFor();
  const officer = await enter('sue', '/patients/pat-b/privacy');
  await officer.getByRole('region', { name: 'Who saw what' }).getByText('nick').first().waitFor();
  const found = await look(officer, 'privacy of a patient');
  const charge = await enter('clara', '/patients/pat-b/privacy');
  await charge.getByRole('region', { name: 'Consents' }).waitFor();
  assert.equal(await charge.getByRole('region', { name: 'Who saw what' }).count(), 0);
  await charge.getByLabel('Account').fill('nora');
  await charge.getByLabel('Role in the team').fill('tele-ICU');
  await charge.getByRole('button', { name: 'Put in' }).click();
  await charge.locator('b', { hasText: 'nora' }).waitFor();
  found.push(...(await look(charge, 'care team')));
  assert.equal((await (await session('nora'))('GET', '/api/v1/patients/pat-b')).status, 200, 'of the care team now');
  await charge.getByRole('button', { name: 'Take out nora' }).click();
  await charge.getByText('Nobody is named: the unit cares for the patient.').waitFor();
  assert.deepEqual([...found, ...patient.problems, ...officer.problems, ...charge.problems], []);
});
