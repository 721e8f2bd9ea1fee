// Second factors, passkeys, sessions and users, in a real browser with an authenticator that Chromium plays.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { look } from './axe.mjs';
import { launch, openPage } from './browser.mjs';
import { until } from './scenario.mjs';
import { startServer } from './server.mjs';

const PASSWORD = 'correct horse battery staple 7';
let server, browser, url;
before(async () => {
  server = await startServer({ users: [['nina', 'nurse', PASSWORD], ['paula', 'physician', PASSWORD], ['ada', 'administrator', PASSWORD]] });
  // Passkeys are bound to a name: the same server, called by one.
  url = server.url.replace('127.0.0.1', 'localhost');
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** What an authenticator app shows (RFC 6238), `steps` of thirty seconds from now. */
function app(secret, steps = 0) {
  const bits = [...secret].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const digest = createHmac('sha1', key).update(counter).digest();
  const at = digest[19] & 15;
  return String((digest.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

async function logIn(page, name, password = PASSWORD) {
  await page.goto(`${url}/account`);
  await page.getByLabel('Account').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

const atHome = (page) => page.getByRole('heading', { name: 'Your account', level: 1 }).waitFor();

async function logOut(page) {
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByRole('heading', { name: 'Log in to Vitalwire' }).waitFor();
}

/** An authenticator of the machine itself, as laptops and phones have. */
async function authenticator(page) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  const options = { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', { options });
  return { cdp, authenticatorId };
}

test('an authenticator app: enrolled by QR code, asked for at login, a recovery code in its place', { timeout: 240_000 }, async () => {
  const page = await openPage(browser);
  await logIn(page, 'nina');
  await atHome(page);
  await page.getByRole('button', { name: 'Add an authenticator app' }).click();
  await page.getByAltText('QR code for the authenticator app').waitFor();
  assert.ok(await page.getByAltText('QR code for the authenticator app').evaluate((img) => img.complete && img.naturalWidth > 100), 'the image is drawn under the strict policy');
  const secret = await page.locator('code.secret').textContent();
  assert.deepEqual(await look(page, 'enrolment'), []);
  await page.getByLabel('Code of your authenticator app').fill('000000');
  await page.getByRole('button', { name: 'Confirm' }).click();
  await page.getByText('this is not the code that the app shows now').waitFor();
  await page.getByLabel('Code of your authenticator app').fill(app(secret));
  await page.getByRole('button', { name: 'Confirm' }).click();
  await page.getByText('Each of these opens once').waitFor();
  const codes = await page.locator('.recovery code').allTextContents();
  assert.equal(codes.length, 10);
  await page.getByRole('button', { name: 'I have kept them' }).click();
  await page.getByText('Enrolled').waitFor();
  await logOut(page);

  await logIn(page, 'nina');
  await page.getByRole('heading', { name: 'Second step' }).waitFor();
  assert.deepEqual(await look(page, 'second step'), []);
  await page.getByLabel('Code of your authenticator app').fill(app(secret, 1));
  await page.getByRole('button', { name: 'Continue' }).click();
  await atHome(page);
  await logOut(page);

  await logIn(page, 'nina');
  await page.getByLabel('Code of your authenticator app').fill(app(secret, 1));
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByText('This code is wrong, was used already').waitFor();
  await page.getByRole('button', { name: 'Use a recovery code' }).click();
  await page.getByLabel('Recovery code').fill(codes[3]);
  await page.getByRole('button', { name: 'Continue' }).click();
  await atHome(page);
  await page.getByText('9 left').waitFor();
});

test('a passkey: made in the account, and then all that is needed to log in', { timeout: 240_000 }, async () => {
  const page = await openPage(browser);
  const { cdp, authenticatorId } = await authenticator(page);
  await logIn(page, 'paula');
  await atHome(page);
  await page.getByLabel('Name of the new passkey').fill('Ward laptop');
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.getByRole('button', { name: 'I have kept them' }).click();
  await page.getByText('Ward laptop', { exact: true }).waitFor();
  const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId });
  assert.equal(credentials.length, 1);
  assert.ok(credentials[0].isResidentCredential && credentials[0].rpId === 'localhost');
  assert.deepEqual(await look(page, 'account'), []);
  await logOut(page);

  await page.getByRole('button', { name: 'Use a passkey' }).click();
  await atHome(page);
  await page.getByRole('cell', { name: 'Passkey', exact: false }).first().waitFor();
  await logOut(page);

  // A password alone opens nothing any more.
  await logIn(page, 'paula');
  await page.getByRole('heading', { name: 'Second step' }).waitFor();
  await page.getByRole('button', { name: 'Use a passkey' }).first().click();
  await atHome(page);
  await logOut(page);

  // Somebody else's authenticator knows no passkey of this site.
  await cdp.send('WebAuthn.clearCredentials', { authenticatorId });
  await page.getByRole('button', { name: 'Use a passkey' }).click();
  await page.getByText('No passkey was used.').waitFor();
});

test('sessions are listed, and ended elsewhere', { timeout: 180_000 }, async () => {
  const [here, there] = [await openPage(browser), await openPage(browser)];
  for (const page of [here, there]) { await logIn(page, 'ada'); await atHome(page); }
  await here.reload();
  await atHome(here);
  await here.getByRole('button', { name: 'End all others' }).click();
  await until(() => here.getByRole('button', { name: 'End', exact: true }).count(), (n) => n === 0);
  assert.equal(await there.evaluate(async () => (await fetch('/api/v1/session')).status), 401);
  assert.equal(await here.evaluate(async () => (await fetch('/api/v1/session')).status), 200);
});

test('an administrator adds, changes, keeps out and removes accounts; nobody else does', { timeout: 240_000 }, async () => {
  const page = await openPage(browser);
  await logIn(page, 'ada');
  await atHome(page);
  await page.goto(`${url}/users`);
  await page.getByRole('heading', { name: 'Users', level: 1 }).waitFor();
  await page.getByRole('button', { name: 'Add an account' }).click();
  await page.getByLabel('Account', { exact: true }).fill('uma');
  await page.getByLabel('Units, with commas').fill('ICU, 4 West');
  await page.getByLabel('First password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('cell', { name: '4 West, ICU' }).waitFor();
  assert.deepEqual(await look(page, 'users'), []);
  await page.getByRole('button', { name: 'Add an account' }).click();
  await page.getByLabel('Account', { exact: true }).fill('ehr');
  await page.getByLabel('A program, with a token').check();
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  const token = await page.locator('code.secret').textContent();
  assert.match(token, /^vw_[0-9a-f]{64}$/);
  await page.getByRole('button', { name: 'Close' }).click();
  const asked = await fetch(`${server.url}/fhir/Patient`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(asked.status, 200);
  await page.getByRole('button', { name: 'uma' }).click();
  await page.getByRole('button', { name: 'Keep out' }).click();
  await page.getByText('Kept out').waitFor();
  const kept = await fetch(`${server.url}/api/v1/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name: 'uma', password: PASSWORD }) });
  assert.equal(kept.status, 401);
  await page.getByRole('button', { name: 'uma' }).click();
  await page.getByRole('button', { name: 'Remove the account' }).click();
  const sure = page.getByRole('dialog', { name: 'Remove uma?' });
  await sure.getByText('gone for good').waitFor();
  assert.deepEqual(await look(page, 'removal'), []);
  await sure.getByRole('button', { name: 'Remove the account' }).click();
  await until(() => page.getByRole('button', { name: 'uma' }).count(), (n) => n === 0);
  assert.deepEqual(page.problems.filter((p) => !p.includes('401')), []);
});

test('the link of the first start fills the code in, and no request carries it', { timeout: 180_000 }, async () => {
  const fresh = await startServer({ users: [] });
  try {
    const [, code] = await until(async () => /\/setup#(\S+)/.exec(fresh.said()), Boolean);
    const page = await openPage(browser);
    const asked = [];
    page.on('request', (r) => asked.push(r.url()));
    await page.goto(`${fresh.url}/setup#${code}`);
    await page.getByRole('heading', { name: 'Set up Vitalwire' }).waitFor();
    assert.equal(await page.getByLabel('Set-up code').inputValue(), code);
    assert.equal(new URL(page.url()).hash, '', 'out of the address, and so of the history');
    assert.ok(asked.every((u) => !u.split('#')[0].includes(code)));
    assert.deepEqual(await look(page, 'set-up'), []);
    await page.getByLabel('Account', { exact: true }).fill('first');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Create the administrator' }).click();
    await page.getByText('No patient is on the ward yet.').waitFor();
  } finally {
    await fresh.stop();
  }
});
