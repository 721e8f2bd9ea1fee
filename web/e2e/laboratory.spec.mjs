// The alarm laboratory in the browser, over the program itself: a changed limit and a range of them are tried on what monitors and the
// virtual ward sent, by mouse and by keyboard; one physician proposes, another approves and puts in force; who may only look is told so.
// Desk and phone, light and dark, and axe finds nothing. LABORATORY_SHOTS names a folder for pictures.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import mqtt from 'mqtt';
import { look, LOOKS } from './axe.mjs';
import { launch, openPage, settled } from './browser.mjs';
import { PASSWORD, signIn } from './house.mjs';
import { senml, until, WELL } from './scenario.mjs';
import { program, startServer } from './server.mjs';

const POLICY = `name = "Nervous"
[[chain]]
name = "ward"
repeat_s = 3600
step = [{ role = "nurse", after_s = 0 }, { role = "physician", after_s = 30 }]
[[limit]]
metric = "MDC_PULS_OXIM_SAT_O2"
low = 92
for_s = 1
clear_s = 1
group = "saturation"
[[limit]]
metric = "MDC_ECG_HEART_RATE"
high = 130
for_s = 5
clear_s = 5
group = "rate"
`;
// One dips below the limit again and again, which is no event; two stay low for longer than a minute, which is one each.
const BEDS = [['dips-1', 'Alba, Ines', (s) => (s % 8 < 4 ? 90 : 95)], ['low-1', 'Brandt, Ole', (s) => (s < 3 || s > 70 ? 95 : 80)], ['low-2', 'Costa, Rui', (s) => (s < 3 || s > 70 ? 95 : 83)]];
const SECONDS = 80;
const BELOW = 'Oxygen saturation: medium priority below';
let server, browser, anna;

/** Puts a policy in force as two people do: version 1. */
async function agree(policy) {
  const bert = await signIn(server, 'bert');
  const { version } = await anna('POST', '/api/v1/policy/versions', { policy, title: 'Test ward', reason: 'its own limits' });
  await bert('POST', `/api/v1/policy/versions/${version.number}/approval`, { note: '' });
  await bert('POST', `/api/v1/policy/versions/${version.number}/in-force`);
}

before(async () => {
  const passwords = {};
  let token;
  const staff = [['ada', 'administrator'], ['anna', 'physician'], ['bert', 'physician'], ['clara', 'charge-nurse'], ['enzo', 'engineer']];
  server = await startServer({
    users: staff.map(([name, role]) => [name, role, PASSWORD]),
    prepare: async (command) => {
      for (const [device] of BEDS) passwords[device] = (await command('device', 'add', device)).split(/\s+/).at(-1);
      token = (await command('user', 'token', 'ehr', '--role', 'administrator')).split(/\s+/)[0];
    },
  });
  browser = await launch();
  anna = await signIn(server, 'anna');
  await agree(POLICY);
  const { http, mqtt: broker, mllp } = server.doors;
  const ward = spawn(program(), ['sim', '--beds', '4', ...[1, 2, 3, 4].flatMap((bed) => ['--scenario', `${bed}=stable`]), '--account', 'ehr', '--token', token, '--http', http, '--mqtt', broker, '--mllp', mllp], { stdio: 'ignore', env: { RUST_LOG: 'warn', ...process.env } });
  const ended = once(ward, 'exit');
  const clients = await Promise.all(BEDS.map(([device]) => mqtt.connectAsync(`mqtt://${broker}`, { clientId: device, username: device, password: passwords[device], protocolVersion: 5 })));
  const say = (n, second) => clients[n].publishAsync(`vitalwire/${BEDS[n][0]}/measurements`, senml({ ...WELL, MDC_PULS_OXIM_SAT_O2: BEDS[n][2](second) }), { qos: 1 });
  await Promise.all(BEDS.map((_, n) => say(n, 0)));
  await anna('POST', '/api/v1/associations', BEDS.map(([device, name]) => ({ device, identifier: `urn:e2e|${device}`, name, birth_date: '1950-01-01', sex: 'female' })));
  for (let second = 0; second < SECONDS; second += 1) {
    await Promise.all([...BEDS.map((_, n) => say(n, second)), new Promise((r) => setTimeout(r, 1_000))]);
  }
  await until(() => anna('GET', '/api/v1/alerts?state=all'), ({ alerts }) => alerts.length >= 8);
  ward.kill('SIGINT');
  await ended;
  await Promise.all(clients.map((c) => c.endAsync(true)));
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

async function open(name, path = '/laboratory') {
  const page = await openPage(browser);
  await page.goto(server.url + path);
  await page.getByLabel('Account').fill(name);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('heading', { level: 1, name: 'Alarm laboratory' }).waitFor();
  await settled(page);
  return page;
}

async function shots(page, name) {
  const folder = process.env.LABORATORY_SHOTS;
  for (const [colorScheme, width, height] of folder ? LOOKS : []) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height });
    await page.waitForTimeout(300);
    await page.screenshot({ path: `${folder}/${name}-${width}-${colorScheme}.png`, fullPage: true });
  }
  await page.setViewportSize({ width: 1440, height: 900 });
}

/** Finds a number, chooses it, gives its fields. */
async function pick(page, question, name) {
  const search = page.getByRole('searchbox', { name: /numbers/ });
  await search.fill(question);
  await page.getByRole('button', { name: new RegExp(`^Change ${name}`) }).click();
  return page.getByRole('group', { name: new RegExp(name.slice(0, 17)) });
}
const inShort = (page) => page.getByRole('list', { name: 'In short' });

test('one limit is changed and compared with the present, by keyboard', { timeout: 600_000 }, async () => {
  const page = await open('anna');
  await page.getByText('Choose at least one number to change.').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Try on the past' }).getAttribute('aria-disabled'), 'true');
  const found = await look(page, 'empty form');
  await page.keyboard.press('/');
  await page.keyboard.type('spo2 nothing');
  await page.getByText('No number fits.').waitFor();
  const choice = await pick(page, 'saturation below', BELOW);
  await page.getByText('No number is changed yet.').waitFor();
  const slider = choice.getByRole('slider');
  await slider.focus();
  for (let n = 0; n < 6; n += 1) await page.keyboard.press('ArrowLeft');
  assert.equal(await choice.getByLabel('New value (%)').inputValue(), '86');
  await page.getByRole('button', { name: 'All', exact: true }).click();
  await settled(page);
  await shots(page, 'form');
  found.push(...(await look(page, 'form')));
  await choice.getByLabel('New value (%)').focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: /below 92 → 86 %/ }).waitFor();
  const words = await inShort(page).textContent();
  assert.match(words, /Better.*alerts a bed-day/);
  assert.match(words, /None of 2 events missed As today/);
  assert.match(await page.getByRole('region', { name: 'Table: Real events' }).textContent(), /SpO₂ below 85 % for 1 min200/);
  assert.match(await page.getByRole('region', { name: 'Table: By priority and cause' }).textContent(), /Medium Oxygen saturation/);
  assert.match(await page.getByRole('region', { name: 'Table: Who would have been called' }).textContent(), /nurse/);
  await page.getByRole('list', { name: 'Gone' }).getByRole('link', { name: 'Alba, Ines' }).first().waitFor();
  await page.getByText('too little to decide by').waitFor();
  await shots(page, 'result');
  found.push(...(await look(page, 'result')));
  assert.deepEqual([...found, ...page.problems], []);
});

test('a limit that sees nothing any more is called worse', { timeout: 300_000 }, async () => {
  const page = await open('anna');
  const choice = await pick(page, 'saturation below', BELOW);
  await choice.getByLabel('New value (%)').fill('70');
  await choice.getByLabel('New value (%)').press('Enter');
  await page.getByRole('heading', { name: /below 92 → 70 %/ }).waitFor();
  assert.match(await inShort(page).textContent(), /Worse2 of 2 events missed 2 more than today/);
  await page.getByText(/of them before a real event: look at/).waitFor();
  assert.deepEqual([...(await look(page, 'worse')), ...page.problems], []);
});

test('a range is swept, the curve read by keyboard, and a policy proposed, approved by another and put in force', { timeout: 900_000 }, async () => {
  const page = await open('anna');
  const choice = await pick(page, 'saturation below', BELOW);
  await choice.getByRole('button', { name: 'Try a range' }).click();
  for (const [name, value] of [['From (%)', '78'], ['To (%)', '94'], ['In steps of (%)', '2']]) await choice.getByLabel(name).fill(value);
  await page.getByText('9 policies beside the present one.').waitFor();
  await page.getByLabel(/^Alert budget/).fill('1000');
  await page.getByLabel(/^What to call it/).fill('Lower saturation limit');
  const found = await look(page, 'sweep form');
  await shots(page, 'sweep-form');
  await page.getByRole('button', { name: 'Try on the past' }).click();
  await page.getByRole('radiogroup').waitFor();
  assert.equal(await page.getByRole('radio').count(), 10);
  const chosen = page.getByRole('radio', { checked: true });
  assert.match(await chosen.getAttribute('aria-label'), /^(84|86|88|90) %: .* 100 % of events seen; proposed within the budget/);
  await shots(page, 'sweep');
  found.push(...(await look(page, 'curve')));
  await chosen.focus();
  await page.keyboard.press('Home');
  await page.getByRole('radio', { checked: true, name: /^78 %: .* 0 % of events seen/ }).waitFor();
  assert.match(await inShort(page).textContent(), /2 of 2 events missed/);
  await page.keyboard.press('End');
  await page.getByRole('radio', { checked: true, name: /100 % of events seen/ }).waitFor();
  await page.getByRole('button', { name: 'Table', exact: true }).click();
  await page.getByRole('button', { name: 'Compare 86 %' }).click();
  await page.getByRole('heading', { name: /below 92 → 86 %/ }).waitFor();
  await shots(page, 'curve-table');
  found.push(...(await look(page, 'curve table')));

  await page.getByRole('button', { name: 'Propose…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Propose' }).click();
  await dialog.getByRole('alert').waitFor();
  await dialog.getByLabel('Why').fill('Most alerts above 86 % ended by themselves; both events are still seen.');
  await shots(page, 'propose');
  found.push(...(await look(page, 'propose')));
  await dialog.getByRole('button', { name: 'Propose' }).click();
  await page.getByRole('heading', { name: 'Version 2: Lower saturation limit' }).waitFor();
  await page.getByText(/second person/).first().waitFor();
  assert.equal(await page.getByRole('button', { name: 'Approve…' }).count(), 0, 'nobody approves their own proposal');
  await shots(page, 'own-proposal');
  found.push(...(await look(page, 'own proposal')));

  const other = await open('bert', '/laboratory/versions');
  await other.getByText('Waits for a second person').waitFor();
  await shots(other, 'versions');
  found.push(...(await look(other, 'versions')));
  await other.getByRole('link', { name: /^2: / }).click();
  assert.match(await other.getByRole('region', { name: 'Table: changed numbers' }).textContent(), /medium priority below92 %86 %/);
  assert.match(await inShort(other).textContent(), /None of 2 events missed/);
  await other.getByText(/^⚠ Only .* of monitoring: too little to decide by/).waitFor();
  await other.getByRole('button', { name: 'Approve…' }).focus();
  await other.keyboard.press('Enter');
  await other.getByLabel('What you looked at').fill('Looked at both patients');
  found.push(...(await look(other, 'approve')));
  await other.getByRole('dialog').getByRole('button', { name: 'Approve' }).press('Enter');
  await other.getByText('Approved, not in force').waitFor();
  await shots(other, 'approved');
  found.push(...(await look(other, 'approved')));
  const [file] = await Promise.all([other.waitForEvent('download'), other.getByRole('link', { name: 'Signed file' }).click()]);
  assert.equal(file.suggestedFilename(), 'alarm-policy-2.policy');
  await other.getByRole('button', { name: 'Put in force…' }).click();
  await shots(other, 'put-in-force');
  found.push(...(await look(other, 'put in force')));
  await other.getByRole('button', { name: 'Put in force now' }).click();
  await other.locator('.lab-state', { hasText: /^In force$/ }).waitFor();
  await shots(other, 'in-force');
  assert.match((await anna('GET', '/api/v1/policy')).text, /low = 86/);
  assert.deepEqual([...found, ...page.problems, ...other.problems], []);
});

test('a proposal is refused with a reason', { timeout: 300_000 }, async () => {
  const page = await open('anna');
  const choice = await pick(page, 'heart rate above', 'Heart rate: medium priority above');
  await choice.getByRole('textbox', { name: /^New value/ }).fill('140');
  await choice.getByRole('textbox', { name: /^New value/ }).press('Enter');
  await page.getByRole('button', { name: 'Propose…' }).click();
  await page.getByRole('dialog').getByLabel('Why').fill('Try');
  await page.getByRole('dialog').getByRole('button', { name: 'Propose' }).click();
  await page.getByRole('heading', { name: /^Version 3: / }).waitFor();
  const other = await open('bert', '/laboratory/versions/3');
  await other.getByRole('button', { name: 'Refuse…' }).click();
  await other.getByRole('dialog').getByRole('button', { name: 'Refuse' }).click();
  await other.getByText('Say why.').waitFor();
  await other.getByRole('dialog').getByLabel('Why').fill('Too few patients');
  await other.getByRole('dialog').getByRole('button', { name: 'Refuse' }).click();
  await other.getByText('Too few patients').waitFor();
  await shots(other, 'refused');
  assert.deepEqual([...(await look(other, 'refused')), ...page.problems, ...other.problems], []);
});

test('what cannot wait is put in force by one person, and marked until another approves or takes it back', { timeout: 300_000 }, async () => {
  const { text } = await anna('GET', '/api/v1/policy');
  const { version } = await anna('POST', '/api/v1/policy/versions', { policy: text.replace('low = 86', 'low = 84'), title: 'Fewer at night', reason: 'nobody sleeps' });
  const page = await open('anna', `/laboratory/versions/${version.number}`);
  await page.getByRole('button', { name: 'Put in force without review…' }).focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Put in force now' }).click();
  await dialog.getByText('Say why.').waitFor();
  await dialog.getByLabel('Why it cannot wait').fill('Forty alarms since midnight at bed 3');
  await shots(page, 'emergency');
  const found = await look(page, 'emergency');
  await dialog.getByRole('button', { name: 'Put in force now' }).press('Enter');
  await page.locator('.lab-state', { hasText: 'Put in force by one person, not reviewed' }).waitFor();
  assert.match((await anna('GET', '/api/v1/policy')).text, /low = 84/);
  assert.equal(await page.getByRole('button', { name: 'Approve…' }).count(), 0, 'nobody reviews their own');
  await page.getByText(/was put in force by one person, not reviewed: anna/).waitFor();

  const other = await open('bert');
  await other.getByText(/was put in force by one person, not reviewed: anna/).waitFor();
  await shots(other, 'unreviewed');
  found.push(...(await look(other, 'unreviewed')));
  await other.getByRole('link', { name: /^Look at version/ }).click();
  await other.getByRole('button', { name: 'Take back…' }).waitFor();
  await shots(other, 'unreviewed-version');
  found.push(...(await look(other, 'unreviewed version')));
  await other.getByRole('button', { name: 'Take back…' }).click();
  await other.getByRole('dialog').getByLabel('Why').fill('The probe was off');
  await other.getByRole('dialog').getByRole('button', { name: 'Take back now' }).click();
  await other.locator('.lab-state', { hasText: /^Refused$/ }).waitFor();
  await other.getByText(/was put in force by one person, not reviewed/).waitFor({ state: 'detached' });
  assert.match((await anna('GET', '/api/v1/policy')).text, /low = 86/);
  await other.goto(`${server.url}/laboratory`);
  await settled(other);
  assert.equal(await other.getByText(/not reviewed/).count(), 0);
  assert.deepEqual([...found, ...page.problems, ...other.problems], []);
});

test('a run shows how far it is and can be cancelled', { timeout: 300_000 }, async () => {
  const page = await open('anna');
  const choice = await pick(page, 'heart rate above', 'Heart rate: medium priority above');
  await choice.getByRole('button', { name: 'Try a range' }).click();
  for (const [name, value] of [['From', '100'], ['To', '135'], ['In steps of', '1']]) await choice.getByLabel(new RegExp(`^${name}`)).fill(value);
  await page.getByRole('button', { name: 'Try on the past' }).click();
  const cancel = page.getByRole('button', { name: 'Cancel' });
  await cancel.waitFor();
  await page.getByRole('progressbar').waitFor();
  await shots(page, 'running');
  await cancel.click();
  await page.getByText(/^Cancelled after/).waitFor();
  await page.getByRole('link', { name: 'Change and try again' }).click();
  await page.getByText('Cancelled', { exact: true }).first().waitFor();
  await shots(page, 'tried');
  assert.deepEqual([...(await look(page, 'tried so far')), ...page.problems], []);
});

test('who may only look is told so; what is gone is told', { timeout: 300_000 }, async () => {
  const page = await open('clara');
  await page.getByText(/takes the right to manage the alarm policy/).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Try on the past' }).count(), 0);
  await shots(page, 'looking-only');
  const found = await look(page, 'looking only');
  await page.goto(`${server.url}/laboratory/versions/2`);
  await page.getByText('Lower saturation limit').first().waitFor();
  assert.equal(await page.getByRole('button', { name: /…$/ }).count(), 0);
  for (const path of ['/laboratory/runs/1', '/laboratory/versions/99']) {
    await page.goto(server.url + path);
    await page.locator('main').getByRole('alert').getByText(/./).first().waitFor();
    found.push(...(await look(page, path)));
  }
  assert.deepEqual([...found, ...page.problems], []);

  // An engineer sees no patients: the comparison, not the alerts one by one.
  const { runs } = await anna('GET', '/api/v1/laboratory/runs');
  const done = runs.find((run) => run.state === 'done');
  const engineer = await open('enzo', `/laboratory/runs/${done.id}`);
  await engineer.getByText('shown to whoever may see patients').waitFor();
  assert.equal(await engineer.getByText('Alba, Ines').count(), 0);
  assert.deepEqual([...(await look(engineer, 'engineer')), ...engineer.problems], []);
});

test('what was tried is there after a restart, and a run that it ended is begun again', { timeout: 300_000 }, async () => {
  const before = (await anna('GET', '/api/v1/laboratory/runs')).runs.find((run) => run.state === 'done');
  const sweep = [{ path: 'limit.HR.high', from: 100, to: 135, step: 1 }];
  const { id } = await anna('POST', '/api/v1/laboratory/runs', { title: 'Heart rates', set: [], sweep });
  await server.halt('SIGKILL');
  await server.resume();
  const page = await open('anna');
  await page.getByRole('link', { name: 'Heart rates' }).waitFor();
  await page.getByText('Ended by a restart', { exact: true }).waitFor();
  await page.goto(`${server.url}/laboratory/runs/${id}`);
  await page.getByText(/^Ended by a restart: the program was stopped/).waitFor();
  await shots(page, 'interrupted');
  const found = await look(page, 'interrupted');
  await page.getByRole('button', { name: 'Begin it again' }).press('Enter');
  await page.getByRole('progressbar').waitFor();
  assert.notEqual(page.url(), `${server.url}/laboratory/runs/${id}`);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByText(/^Cancelled after/).waitFor();
  await page.goto(`${server.url}/laboratory/runs/${before.id}`);
  await inShort(page).waitFor();
  assert.deepEqual([...found, ...page.problems], []);
});
