// An application of somebody else's making (SMART's own JavaScript client) in the browser, on another origin: standalone
// launch with the person's consent, launch from a patient's page, refresh, and calls across origins.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { after, before, test as run } from 'node:test';
import { look } from './axe.mjs';
import { launch, openPage } from './browser.mjs';
import { startServer } from './server.mjs';

const PASSWORD = 'correct horse battery staple 7';
// tests/setup.sh fetches it: one file, without the hundreds of packages that it was built with.
const FILE = fileURLToPath(new URL('../../target/fhirclient/package/build/fhir-client.min.js', import.meta.url));
const skip = existsSync(FILE) ? false : 'fhirclient is not there: run `sh tests/setup.sh`';
const CLIENT = skip ? '' : await readFile(FILE, 'utf8');
const test = (name, options, act) => run(name, { ...options, skip }, act);
const SCOPES = 'launch launch/patient openid fhirUser offline_access patient/*.rs';
let server, browser, app, base, patient;

/** The application's pages: one that begins, one that shows what it got. */
function serveApp() {
  const page = (script) => `<!doctype html><html lang="en"><title>App</title><h1>App</h1><pre id="out"></pre><script src="/client.js"></script><script>${script}</script>`;
  const pages = {
    '/client.js': () => CLIENT,
    '/standalone': () => page(`FHIR.oauth2.authorize({ iss: '${server.url}/fhir', clientId: 'growth', scope: '${SCOPES.replace('launch ', '')}', redirectUri: '/shown', pkceMode: 'required' })`),
    '/launch': () => page(`FHIR.oauth2.authorize({ clientId: 'growth', scope: '${SCOPES.replace('launch/patient ', '')}', redirectUri: '/shown', pkceMode: 'required' })`),
    '/shown': () => page(`FHIR.oauth2.ready().then(async (client) => {
      const patient = await client.patient.read();
      const before = client.state.tokenResponse.access_token;
      await client.refresh();
      const again = await client.request('Patient/' + client.patient.id);
      const user = await client.user.read();
      out.textContent = JSON.stringify({ family: patient.name[0].family, again: again.id === patient.id, fresh: client.state.tokenResponse.access_token !== before, user: user.resourceType });
    }).catch((e) => { out.textContent = String(e); })`),
  };
  const listening = http.createServer((request, response) => {
    const found = pages[new URL(request.url, 'http://x').pathname];
    response.writeHead(found ? 200 : 404, { 'content-type': request.url === '/client.js' ? 'text/javascript' : 'text/html; charset=utf-8' });
    response.end(found ? found() : '');
  });
  return new Promise((resolve) => listening.listen(0, '127.0.0.1', () => resolve(listening)));
}

const send = (path, body, cookie) => fetch(server.url + path, { method: 'POST', headers: { 'content-type': 'application/json', ...(cookie && { cookie }) }, body: JSON.stringify(body) });

before(async () => {
  if (skip) return;
  server = await startServer({ users: [['nina', 'nurse', PASSWORD], ['ada', 'administrator', PASSWORD]] });
  app = await serveApp();
  base = `http://localhost:${app.address().port}`;
  const login = await send('/api/v1/login', { name: 'ada', password: PASSWORD });
  const cookie = login.headers.get('set-cookie').split(';')[0];
  const made = await send('/fhir/Patient', { resourceType: 'Patient', name: [{ family: 'Abel', given: ['Ann'] }], identifier: [{ system: 'urn:mrn', value: '17' }] }, cookie);
  assert.equal(made.status, 201, await made.clone().text());
  patient = (await made.json()).id;
  // Lists and launches know patients who are here.
  const stay = { resourceType: 'Encounter', id: 'stay', status: 'in-progress', class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' }, subject: { reference: `Patient/${patient}` } };
  const here = await fetch(`${server.url}/fhir/Encounter/stay`, { method: 'PUT', headers: { 'content-type': 'application/json', cookie }, body: JSON.stringify(stay) });
  assert.equal(here.status, 201, await here.text());
  const client = { id: 'growth', name: 'Growth chart', authentication: 'public', redirect_uris: [`${base}/shown`], launch_url: `${base}/launch`, scopes: SCOPES };
  assert.equal((await send('/api/v1/clients', client, cookie)).status, 200);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  app?.close();
  await server?.stop();
});

async function logIn(page, name) {
  await page.getByLabel('Account').fill(name);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Log in' }).click();
}

const shown = async (page) => {
  await page.waitForURL(`${base}/shown**`);
  await page.waitForFunction(() => document.getElementById('out').textContent !== '');
  const text = await page.locator('#out').textContent();
  assert.ok(text.startsWith('{'), text);
  return JSON.parse(text);
};

test('an application of another site comes in with a person’s consent', { timeout: 300_000 }, async () => {
  const page = await openPage(browser);
  await page.goto(`${base}/standalone`);
  await page.getByRole('heading', { name: 'Log in to Vitalwire' }).waitFor();
  await logIn(page, 'nina');
  await page.getByRole('heading', { name: 'Growth chart asks for access' }).waitFor();
  await page.getByText('See all data of the one patient').waitFor();
  assert.ok(await page.getByRole('button', { name: 'Allow' }).isDisabled(), 'not before a patient is chosen');
  assert.deepEqual(await look(page, 'consent'), []);
  await page.getByLabel('Name or record number').fill('Abel');
  await page.getByRole('button', { name: /Abel/ }).click();
  await page.getByRole('button', { name: 'Allow' }).click();
  assert.deepEqual(await shown(page), { family: 'Abel', again: true, fresh: true, user: 'Practitioner' });
  assert.deepEqual(page.problems, []);
});

test('a no goes back to the application as a refusal', { timeout: 300_000 }, async () => {
  const page = await openPage(browser);
  await page.goto(server.url);
  await logIn(page, 'nina');
  await page.getByText(/on the ward|patients/).first().waitFor();
  await page.goto(`${base}/standalone`);
  await page.getByRole('button', { name: 'No', exact: true }).click();
  await page.waitForURL(/error=access_denied/);
});

test('an application is opened from a patient’s page', { timeout: 300_000 }, async () => {
  const page = await openPage(browser);
  await page.goto(`${server.url}/patients/${patient}`);
  await logIn(page, 'nina');
  const [opened] = await Promise.all([page.context().waitForEvent('page'), page.getByRole('button', { name: 'Open Growth chart' }).click()]);
  const allow = opened.getByRole('button', { name: 'Allow' });
  await Promise.race([allow.waitFor(), opened.waitForURL(`${base}/shown**`)]);
  if (await allow.isVisible().catch(() => false)) await allow.click();
  assert.equal((await shown(opened)).family, 'Abel');
});

test('an administrator registers and removes applications', { timeout: 300_000 }, async () => {
  const page = await openPage(browser);
  await page.goto(`${server.url}/clients`);
  await logIn(page, 'ada');
  await page.getByRole('rowheader', { name: /Growth chart/ }).waitFor();
  await page.getByRole('button', { name: 'Register' }).click();
  await page.getByLabel('Client id').fill('lab');
  await page.getByLabel('How it proves itself').selectOption('secret');
  await page.getByLabel('Redirect addresses, one a line').fill('https://lab.example/cb');
  await page.getByRole('dialog').getByRole('button', { name: 'Register' }).click();
  await page.getByText(/^vwc_[0-9a-f]{64}$/).waitFor();
  await page.getByRole('button', { name: 'Close' }).click();
  assert.deepEqual(await look(page, 'clients'), []);
  await page.getByRole('button', { name: 'Remove lab' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
  await page.getByRole('rowheader', { name: /lab/ }).waitFor({ state: 'detached' });
  assert.deepEqual(page.problems, []);
});
