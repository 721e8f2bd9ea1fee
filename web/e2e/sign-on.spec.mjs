// Signing on at the site's identity provider, which is a real one: by keyboard, roles from groups, everything that is wrong
// with an answer, accounts that are here already, second factors, applications, logging out there too.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { look } from './axe.mjs';
import { launch, openPage } from './browser.mjs';
import { startProvider } from './provider.mjs';
import { startServer } from './server.mjs';

const PASSWORD = 'correct horse battery staple 7';
const USERS = [['ada', 'administrator', PASSWORD], ['sue', 'security-officer', PASSWORD]];
const VERIFIER = 'an-application-proves-itself-with-this-0123456789';
let provider, browser, open, strict;

const config = (more) => `[login]
second_factor = ["physician"]
[oidc]
issuer = "${provider.issuer}"
client_id = "vitalwire"
client_secret_file = "${provider.ca}.secret"
scopes = ["profile", "groups"]
label = "City Hospital"
groups = [{ group = "icu-nurses", role = "nurse", units = ["ICU"] }, { group = "doctors", role = "physician" }]
second_factor = ["mfa"]
ca_file = "${provider.ca}"
${more}
`;

before(async () => {
  provider = await startProvider();
  await writeFile(`${provider.ca}.secret`, 'a secret: of the tests/1\n');
  const prepare = (command) => command('client', 'add', 'growth', '--name', 'Growth chart', '--redirect', 'http://localhost:1/cb', '--scopes', 'openid user/*.rs');
  // One makes accounts by itself, the other takes whom an administrator linked.
  [open, strict] = await Promise.all([
    startServer({ users: USERS, config: config('new_people = true'), prepare }),
    startServer({ users: USERS, config: config('') }),
  ]);
  await provider.serve(open.url, strict.url);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await Promise.all([open?.stop(), strict?.stop()]);
  await provider?.stop();
});

const person = async () => openPage(browser, { context: await browser.newContext({ ignoreHTTPSErrors: true, locale: 'en-GB' }) });

/** What the provider's own pages ask: who it is, and whether Vitalwire may know. */
async function there(page, who) {
  await page.locator('input[name=login]').fill(who);
  await page.locator('input[name=password]').fill('anything');
  await page.locator('button[type=submit]').click();
  await page.getByRole('button', { name: 'Continue' }).click();
}

/** Goes to the provider from the sign-in page. */
async function away(page, server, path = '/account') {
  await page.goto(server.url + path);
  await page.getByRole('link', { name: 'Sign in with City Hospital' }).click();
}

const atHome = (page) => page.getByRole('heading', { name: 'Your account', level: 1 }).waitFor();
const isShownAs = (page, words) => page.locator('main p').filter({ hasText: words }).waitFor();
const said = (page, words) => page.getByRole('alert').filter({ hasText: words }).waitFor();

/** Calls of somebody who logged in with name and password. */
async function caller(server, name) {
  const headers = { 'content-type': 'application/json' };
  const login = await fetch(`${server.url}/api/v1/login`, { method: 'POST', headers, body: JSON.stringify({ name, password: PASSWORD }) });
  const cookie = login.headers.get('set-cookie')?.split(';')[0];
  return {
    status: login.status,
    call: async (method, path, body) => {
      const answer = await fetch(server.url + path, { method, headers: { ...headers, cookie }, ...(body && { body: JSON.stringify(body) }) });
      const text = await answer.text();
      assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
      return text ? JSON.parse(text) : undefined;
    },
  };
}

/** The records of logins, newest first, as text. */
async function logins(server) {
  const sue = await caller(server, 'sue');
  const page = await sue.call('GET', '/api/v1/audit?action=login&limit=200');
  return (page.records ?? page.entries ?? page.rows).map((record) => JSON.stringify(record));
}

test('somebody signs on by keyboard, with role and units from their groups, and logs out there too', { timeout: 240_000 }, async () => {
  const page = await person();
  await page.goto(`${open.url}/account?from=here`);
  const link = page.getByRole('link', { name: 'Sign in with City Hospital' });
  await link.waitFor();
  assert.deepEqual(await look(page, 'sign-in page with a provider'), []);
  await link.focus();
  await page.keyboard.press('Enter');
  await there(page, 'sub-nina');
  await atHome(page);
  assert.equal(page.url(), `${open.url}/account?from=here`, 'the very page, without a trace of the way');
  await isShownAs(page, /^nina, nurse; unit ICU\.$/i);
  await page.getByText('You log in with the site’s identity provider').waitFor();
  assert.ok((await logins(open)).some((text) => text.includes('nina') && text.includes('account made') && text.includes('provider')));
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByRole('button', { name: /Yes, sign me out/ }).click();
  await page.getByRole('heading', { name: 'Log in to Vitalwire' }).waitFor();
  assert.equal(new URL(page.url()).origin, open.url);
  await away(page, open);
  await page.locator('input[name=login]').waitFor();
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test('an answer that is wrong in any way lets nobody in, and the log says why', { timeout: 240_000 }, async () => {
  const page = await person();
  await away(page, open);
  await there(page, 'sub-nina');
  await atHome(page);
  for (const how of ['nonce', 'audience', 'issuer', 'time', 'key']) {
    await page.evaluate(() => fetch('/api/v1/logout', { method: 'POST' }));
    await provider.spoil(how);
    await away(page, open);
    await said(page, 'cannot be relied on');
    assert.equal(await page.evaluate(() => fetch('/api/v1/session').then((r) => r.status)), 401, how);
    const reason = how === 'key' ? 'id-token-signature' : `id-token-${how}`;
    assert.ok((await logins(open)).some((text) => text.includes(reason)), reason);
    await provider.spoil(null);
    await page.reload();
    await away(page, open);
    await atHome(page);
  }
  await page.context().close();
});

test('a return that nobody waits for, or another browser’s, is nobody’s', { timeout: 240_000 }, async () => {
  const [mine, theirs] = [await person(), await person()];
  await mine.goto(`${open.url}/api/v1/oidc/callback?code=x&state=made-up`);
  await said(mine, 'began in another window');
  // Somebody has another's browser finish what began in their own.
  let began;
  mine.on('request', (request) => { if (request.url().startsWith(`${provider.issuer}/auth?`)) began = request.url(); });
  await away(mine, open);
  await mine.locator('input[name=login]').waitFor();
  await theirs.goto(began);
  await there(theirs, 'sub-nina');
  await said(theirs, 'began in another window');
  assert.equal(await theirs.evaluate(() => fetch('/api/v1/session').then((r) => r.status)), 401);
  await theirs.goto(`${open.url}/api/v1/oidc/start?next=//evil.example/`);
  await theirs.getByRole('button', { name: 'Log out' }).waitFor();
  assert.equal(new URL(theirs.url()).origin, open.url, 'nobody is sent on to another site');
  await Promise.all([mine.context().close(), theirs.context().close()]);
});

test('who has no role, is disabled, unknown, or called like an account here, is told so', { timeout: 240_000 }, async () => {
  const tell = async (server, who, words) => {
    const page = await person();
    await away(page, server);
    await there(page, who);
    await said(page, words);
    await page.context().close();
  };
  await tell(open, 'sub-gina', 'none of your groups has a role here');
  await tell(open, 'sub-ada', 'An account of your name is here already');
  const ada = await caller(open, 'ada');
  await ada.call('PUT', '/api/v1/users/nina', { disabled: true });
  await tell(open, 'sub-nina', 'Your account here is disabled');
  await ada.call('PUT', '/api/v1/users/nina', { disabled: false });
  await tell(strict, 'sub-nina', 'no account here is yours');
  assert.ok((await logins(strict)).some((text) => text.includes('unknown-person') && text.includes('sub-nina')), 'by this an administrator links them');
});

test('an administrator links an account: its password opens nothing any more', { timeout: 240_000 }, async () => {
  const ada = await caller(strict, 'ada');
  await ada.call('POST', '/api/v1/users', { name: 'nora', role: 'nurse', password: PASSWORD, units: ['ICU'] });
  assert.equal((await caller(strict, 'nora')).status, 200);
  await ada.call('PUT', '/api/v1/users/nora/provider', { subject: 'sub-nina' });
  assert.equal((await caller(strict, 'nora')).status, 401);
  const page = await person();
  await away(page, strict);
  await there(page, 'sub-nina');
  await atHome(page);
  await isShownAs(page, /^nora, nurse; unit ICU\.$/i);
  await page.context().close();
});

test('a second factor is asked for here, unless the provider says that it asked for one', { timeout: 240_000 }, async () => {
  const page = await person();
  await away(page, open);
  await there(page, 'sub-paul');
  await page.getByRole('heading', { name: 'Add an authenticator app' }).waitFor();
  await page.getByAltText('QR code for the authenticator app').waitFor();
  assert.equal(new URL(page.url()).hash, '');
  assert.equal(await page.evaluate(() => fetch('/api/v1/session').then((r) => r.status)), 401);
  await provider.spoil('strong');
  await page.reload();
  await away(page, open);
  await atHome(page);
  await isShownAs(page, /^paul, physician; the whole house\.$/i);
  await provider.spoil(null);
  await page.context().close();
});

test('an application’s question waits until somebody has signed on; what was given is seen on the account page and taken back', { timeout: 240_000 }, async () => {
  const page = await person();
  const asked = new URLSearchParams({
    response_type: 'code', client_id: 'growth', redirect_uri: 'http://localhost:1/cb', scope: 'openid user/*.rs', state: 's', aud: `${open.url}/fhir`,
    code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'), code_challenge_method: 'S256',
  });
  await away(page, open, `/oauth/authorize?${asked}`);
  await there(page, 'sub-nina');
  await page.getByRole('heading', { name: 'Growth chart asks for access' }).waitFor();
  await page.getByText('You are logged in as nina').waitFor();
  const answered = page.waitForEvent('request', (request) => request.url().startsWith('http://localhost:1/cb?'));
  await page.getByRole('button', { name: 'Allow' }).click();
  const code = new URL((await answered).url()).searchParams.get('code');
  const form = new URLSearchParams({ grant_type: 'authorization_code', client_id: 'growth', redirect_uri: 'http://localhost:1/cb', code, code_verifier: VERIFIER });
  const { access_token: token } = await (await fetch(`${open.url}/oauth/token`, { method: 'POST', body: form })).json();
  const read = async () => (await fetch(`${open.url}/fhir/Patient?_summary=count`, { headers: { authorization: `Bearer ${token}` } })).status;
  assert.equal(await read(), 200);
  await page.goto(`${open.url}/account`);
  const card = page.getByRole('region', { name: 'Applications that you let in' });
  await card.getByText('Growth chart', { exact: true }).waitFor();
  assert.deepEqual(await look(page, 'applications on the account page'), []);
  await card.getByRole('button', { name: 'Take back the access of Growth chart' }).press('Enter');
  await page.getByRole('dialog').getByRole('button', { name: 'Take back' }).click();
  await card.getByText('None. An application that asks').waitFor();
  assert.equal(await read(), 401, 'and it sees nothing any more');
  await page.context().close();
});

test('nothing secret of a sign-on is in the log', () => {
  for (const text of [open.said(), strict.said()]) {
    assert.doesNotMatch(text, /secret: of|code=|id_token|eyJ|sub-nina/);
  }
});
