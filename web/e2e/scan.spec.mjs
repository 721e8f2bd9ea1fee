// Putting a device on a patient by scanner and keyboard alone; what stands in the way and what to do; a device at a bed that waits; what a
// device is made of. axe finds nothing, on a screen of a desk and of a phone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { look } from './axe.mjs';
import { launch, openPage, settled } from './browser.mjs';
import { until } from './scenario.mjs';
import { startServer } from './server.mjs';

let server, browser;
const call = async (method, path, body) => {
  const answer = await fetch(`${server.url}${path}`, { method, headers: { 'content-type': 'application/json' }, body: body && JSON.stringify(body) });
  assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`);
  const text = await answer.text();
  return text ? JSON.parse(text) : undefined;
};

before(async () => {
  server = await startServer();
  browser = await launch();
  const put = (resource) => call('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource);
  for (const [n, family] of [['1', 'Adamsson'], ['2', 'Bergström']]) {
    await put({ resourceType: 'Location', id: `bed-${n}`, status: 'active', name: `Bed ${n}`, physicalType: { coding: [{ code: 'bd' }] }, partOf: { display: 'Ward 4' } });
    await put({ resourceType: 'Patient', id: `pat-${n}`, birthDate: '1950-02-03', name: [{ family, given: ['Ada'] }], identifier: [{ system: 'urn:mrn', value: `MRN-${n}`, type: { coding: [{ code: 'MR' }] } }] });
    await put({ resourceType: 'Encounter', id: `stay-${n}`, status: 'in-progress', class: { code: 'IMP' }, subject: { reference: `Patient/pat-${n}` }, location: [{ location: { reference: `Location/bed-${n}` } }] });
  }
  const status = { name: 'Pump 7', manufacturer: 'Acme', model: 'P2', serial: 'S-77', version: '2.3', udi: '(01)00643169001763(21)S-77', hardware: 'B', clock: 'synchronised', calibrated: '2025-01-02', calibration_due: '2026-01-02', battery: 84 };
  await server.publish('vitalwire/pump-7/status', JSON.stringify(status));
  await server.publish('vitalwire/pump-7/measurements', '[{"n":"MDC_ECG_HEART_RATE","v":71},{"n":"MDC_PULS_OXIM_SAT_O2","v":97},{"n":"MDC_TEMP_BODY","v":36.8}]');
  await until(() => call('GET', '/api/v1/devices'), (page) => page.devices.some((d) => d.id === 'pump-7' && d.metrics.length > 2));
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const onWhom = async () => (await call('GET', '/api/v1/devices/pump-7')).device.patient?.id;

test('wristband, device, second identifier; by keyboard alone', { timeout: 300_000 }, async () => {
  const page = await openPage(browser);
  await page.goto(`${server.url}/scan`);
  await page.getByLabel('Wristband').waitFor();
  const found = await look(page, 'empty');
  // The caret stands where the first scan goes; a scanner ends each code with Enter.
  await page.keyboard.type('MRN-1');
  await page.keyboard.press('Enter');
  await page.keyboard.type('(01)00643169001763(21)S-77');
  await page.keyboard.press('Enter');
  await page.getByLabel('Date of birth').fill('1951-02-03');
  await page.keyboard.press('Enter');
  await page.getByText('Not done. Nothing was changed.').waitFor();
  await page.getByText(/Ask the patient for name and date of birth/).waitFor();
  found.push(...(await look(page, 'refused')));
  assert.equal(await onWhom(), undefined);
  await page.getByLabel('Date of birth').fill('1950-02-03');
  await page.keyboard.press('Enter');
  await page.getByText(/is on the patient now/).waitFor();
  await until(onWhom, (id) => id === 'pat-1');
  found.push(...(await look(page, 'done')));
  // The button for the next patient is one Tab away.
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  for (const text of ['MRN-2', 'pump-7']) {
    await page.keyboard.type(text);
    await page.keyboard.press('Enter');
  }
  await page.getByLabel('Family name').fill('Bergström');
  await page.keyboard.press('Enter');
  await page.getByText(/Make sure that the other patient no longer needs it/).waitFor();
  const go = page.getByRole('button', { name: 'Put it on the patient all the same' });
  assert.ok(await go.isDisabled());
  await page.getByRole('checkbox').check();
  found.push(...(await look(page, 'looked')));
  await go.click();
  await page.getByText(/is on the patient now/).waitFor();
  await until(onWhom, (id) => id === 'pat-2');
  assert.deepEqual([...found, ...page.problems], []);
});

test('a device at a bed waits, on a phone', { timeout: 300_000 }, async () => {
  await call('POST', '/api/v1/devices/pump-7/mount', { location: 'bed-1' });
  const page = await openPage(browser, { width: 390, height: 844 });
  await page.goto(`${server.url}/scan`);
  await page.getByRole('button', { name: 'Confirm Pump 7' }).click();
  assert.equal(await page.getByLabel(/Device label/).inputValue(), 'pump-7');
  assert.ok(await page.getByLabel('Wristband').evaluate((el) => el === document.activeElement));
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(wide <= 0, `${wide} pixels too wide`);
  assert.deepEqual([...(await look(page, 'phone')), ...page.problems], []);
});

test('what a device is made of, and its calibration', { timeout: 300_000 }, async () => {
  const page = await openPage(browser);
  await page.goto(`${server.url}/devices/pump-7`);
  await page.getByText('Pulse oximeter probe').waitFor();
  await page.getByText('2026-01-02: overdue').waitFor();
  await page.getByText('by the network or a signal').waitFor();
  await settled(page);
  assert.deepEqual([...(await look(page, 'device')), ...page.problems], []);
});
