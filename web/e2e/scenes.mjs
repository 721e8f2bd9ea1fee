// Every page and dialog of the security work as somebody meets it: who is logged in, where, and what is pressed. Pictures
// (screens.mjs) and axe (house-axe.spec.mjs) go through the same list.
import { createHash, randomBytes } from 'node:crypto';
import { PASSWORD } from './house.mjs';
import { settled } from './browser.mjs';

const button = (page, name) => page.getByRole('button', { name }).first();

/** Presses what opens a dialog, and waits for it. */
async function opens(page, press) {
  await press.click();
  await page.getByRole('dialog').waitFor();
}

/** The question of an application, as it would send a browser here. */
function question(house) {
  const challenge = createHash('sha256').update(randomBytes(32)).digest('base64url');
  return `/authorize?${new URLSearchParams({ response_type: 'code', client_id: 'growth', redirect_uri: 'https://growth.example/shown', scope: 'openid fhirUser offline_access launch/patient patient/*.rs', state: 'x', aud: `${house.url}/fhir`, code_challenge: challenge, code_challenge_method: 'S256' })}`;
}

const part = (name) => (page) => button(page, name).click();

/** `[name, account, path, act?]`: `path` may be made from the house; `act` leads on from the page. */
export const SCENES = [
  ['account', 'nora', '/account'],
  ['account-app', 'nora', '/account', (page) => opens(page, button(page, 'Add an authenticator app'))],
  ['users', 'ada', '/users'],
  ['users-add', 'ada', '/users', (page) => opens(page, button(page, 'Add an account'))],
  ['users-one', 'ada', '/users', (page) => opens(page, button(page, 'nora'))],
  ['clients', 'ada', '/clients'],
  ['clients-register', 'ada', '/clients', (page) => opens(page, button(page, 'Register'))],
  ['clients-remove', 'ada', '/clients', (page) => opens(page, button(page, /^Remove/))],
  ['authorize', 'paula', question],
  ['trust', 'enzo', '/trust'],
  ['trust-new', 'enzo', '/trust', async (page) => { await opens(page, button(page, 'New device')); await page.getByLabel(/^Device id/).fill('pump-31'); }],
  ['trust-device', 'enzo', '/trust/monitor-12', (page) => page.getByText('Checked in the workshop').first().waitFor()],
  ['trust-code', 'enzo', '/trust/pump-22', async (page) => { await button(page, 'New enrolment code').click(); await page.locator('img.qr').waitFor(); }],
  ['trust-revoke', 'enzo', '/trust/monitor-31', async (page) => { await button(page, /^Revoke/).click(); await page.getByRole('dialog', { name: 'Revoke this certificate?' }).waitFor(); }],
  ['trust-retire', 'enzo', '/trust/pump-22', async (page) => { await page.getByLabel('Why, then choose').fill('fell down'); await button(page, 'Retire').click(); await page.getByRole('dialog', { name: 'Retire pump-22?' }).waitFor(); }],
  ['fleet', 'enzo', '/fleet'],
  ['fleet-updates', 'enzo', '/fleet', async (page) => { await part('Updates')(page); await page.locator('.fleet-list details').first().locator('summary').click(); await page.getByText('pump-1').first().waitFor(); }],
  ['fleet-campaign', 'enzo', '/fleet', async (page) => { await part('Updates')(page); await opens(page, button(page, 'New campaign…')); await page.getByLabel('Firmware').waitFor(); }],
  ['fleet-pause', 'enzo', '/fleet', async (page) => { await part('Updates')(page); await opens(page, button(page, /^Pause/)); }],
  ['fleet-vulnerabilities', 'enzo', '/fleet', part('Vulnerabilities')],
  ['fleet-acknowledge', 'enzo', '/fleet', async (page) => { await part('Vulnerabilities')(page); await opens(page, button(page, /^Acknowledge/)); }],
  ['fleet-habits', 'enzo', '/fleet', part('Broken habits')],
  ['audit', 'sue', '/audit', (page) => page.locator('.audit-table tbody tr').first().waitFor()],
  ['audit-record', 'sue', '/audit', async (page) => { await page.locator('.audit-open').nth(3).click(); await page.getByText('✓ Proved').waitFor(); }],
  ['reviews', 'sue', '/reviews'],
  ['reviews-one', 'sue', '/reviews', (page) => opens(page, button(page, /^Review the access/))],
  ['privacy', 'sue', '/patients/pat-b/privacy'],
  ['privacy-charge', 'clara', '/patients/pat-b/privacy'],
  ['break-glass', 'nora', '/patients/pat-b', (page) => page.getByRole('dialog').waitFor()],
  ['emergency', 'nora', '/emergency'],
  ['emergency-open', 'nick', '/patients/pat-a', (page) => page.locator('.emergency-banner').waitFor()],
  ['me', 'peter', '/me'],
  ['me-consent', 'peter', '/me', (page) => opens(page, button(page, 'Add a consent'))],
  ['help', 'sue', '/audit', (page) => opens(page, button(page, 'Keys and signs'))],
  ['ward', 'ada', '/'],
  ['station', 'paula', '/waves'],
  ['refused', 'nora', '/users'],
];

/** Logs in on a page's own context; later pages of that context are logged in. */
export async function enter(page, house, name) {
  await page.goto(`${house.url}/account`);
  await page.getByLabel('Account').fill(name);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.locator('header.top').waitFor();
}

/** Goes to a scene and waits until it stands still. */
export async function play(page, house, [, , path, act]) {
  await page.goto(house.url + (typeof path === 'function' ? path(house) : path));
  await page.locator('main h1, main .patient-head, main .card, dialog').first().waitFor();
  if (!(await page.getByRole('dialog').count())) await settled(page);
  await act?.(page);
  await page.waitForTimeout(400);
}
