// Commands to a device with real people: a physician asks, a second one agrees, the pump does it and reads back; a wrong date of birth, a
// device that moved, time that ran out, taking back, a refusal, silence: each is seen for what it is. By keyboard, and axe finds nothing.
// COMMAND_SHOTS names a folder for pictures of every state, for people to look at.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import mqtt from 'mqtt';
import { look } from './axe.mjs';
import { launch, openPage } from './browser.mjs';
import { PASSWORD, signIn } from './house.mjs';
import { until } from './scenario.mjs';
import { enter } from './scenes.mjs';
import { startServer } from './server.mjs';

const USERS = [['ada', 'administrator'], ['paula', 'physician'], ['petra', 'physician'], ['clara', 'charge-nurse'], ['nora', 'nurse']].map(([name, role]) => [name, role, PASSWORD]);
const parameter = (name, title, unit, low, high) => `[[profile.command.parameter]]\nname = "${name}"\ntitle = "${title}"\nkind = "number"\nunit = "${unit}"\nlow = ${low}\nhigh = ${high}\n`;
const offer = (name, title, cls, expires, answer, more) => `[[profile.command]]\nname = "${name}"\ntitle = "${title}"\nclass = "${cls}"\nexpires-s = ${expires}\nanswer-s = ${answer}\n${more}\n`;
const COMMANDS = '[[profile]]\nmanufacturer = "Acme"\nmodels = ["P2"]\n'
  + offer('identify', 'Blink its light', 'locate', 3, 20, '')
  + offer('set-pressure-limit', 'Set the occlusion alarm limit', 'settings', 60, 5, 'read-back = "answer"') + parameter('pressure', 'Pressure', 'mm[Hg]', 50, 750)
  + offer('set-rate', 'Set the infusion rate', 'therapy', 300, 20, 'two-person = true\nread-back = "answer"') + parameter('rate', 'Rate', 'mL/h', 0, 100);
const SHOTS = process.env.COMMAND_SHOTS;

let server, browser, pump, as, password;
const got = [];
let manner = 'obedient';
const say = (topic, body) => pump.publishAsync(`vitalwire/pump-1/${topic}`, JSON.stringify(body), { qos: 1 });

async function connect() {
  pump = await mqtt.connectAsync(`mqtt://${server.doors.mqtt}`, { clientId: 'pump-1', username: 'pump-1', password, protocolVersion: 5, reconnectPeriod: 0 });
  pump.on('message', (_topic, payload) => {
    const told = JSON.parse(String(payload));
    got.push(told.command);
    const values = Object.fromEntries(Object.entries(told.parameters).map(([name, value]) => [name, value.value]));
    const answer = (said) => void say('command/answer', { id: told.id, ...said }).catch(() => undefined);
    if (manner !== 'silent') answer({ state: 'accepted' });
    if (manner === 'obedient') answer({ state: 'done', read_back: values });
    if (manner === 'door') answer({ state: 'failed', reason: 'the door is open' });
  });
  await pump.subscribeAsync('vitalwire/pump-1/command', { qos: 1 });
  await say('status', { manufacturer: 'Acme', model: 'P2', serial: 'S-71' });
}

const putOn = (number, name, birth_date) => as('POST', '/api/v1/associations', [{ device: 'pump-1', identifier: `urn:mrn|${number}`, name, birth_date }]);

before(async () => {
  server = await startServer({ users: USERS, prepare: async (command) => { password = (await command('device', 'add', 'pump-1')).split(/\s+/).at(-1); } });
  browser = await launch();
  if (SHOTS) await mkdir(SHOTS, { recursive: true });
  await mkdir(join(server.data, 'commands'), { recursive: true });
  await writeFile(join(server.data, 'commands', 'acme.toml'), COMMANDS);
  as = await signIn(server, 'petra');
  await connect();
  await putOn('77', 'Testperson, Ada', '1950-02-03');
  await until(() => as('GET', '/api/v1/devices/pump-1/commands'), (page) => page.offers.length === 3);
  await until(() => as('GET', '/api/v1/devices/pump-1'), (page) => page.device.patient?.mrn === '77');
});
after(async () => {
  await pump?.endAsync(true);
  await browser?.close();
  await server?.stop();
});

const found = [];
async function seen(page, name) {
  await page.waitForTimeout(300);
  for (const [colorScheme, width, height] of SHOTS ? [['light', 1440, 900], ['dark', 1440, 900], ['light', 390, 844], ['dark', 390, 844]] : []) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height });
    await page.locator('.commands').first().evaluate((e) => { if (!document.querySelector('dialog:not(.side)[open]')) e.scrollIntoView(); });
    await page.waitForTimeout(200);
    await page.screenshot({ path: join(SHOTS, `${name}-${colorScheme}-${width}.png`) });
  }
  found.push(...(await look(page, name)));
}

/** The newest command's state. */
const newest = (page) => page.locator('.command-list > li').first();
const state = (page, word) => newest(page).locator('.command-state', { hasText: word }).waitFor();

/** Tabs until what has the focus is called `name`. */
async function tabTo(page, name) {
  for (let i = 0; i < 60; i++) {
    const here = await page.evaluate(() => { const e = document.activeElement; return (e?.getAttribute('aria-label') ?? e?.closest('label')?.textContent ?? e?.textContent ?? '').trim(); });
    if (name.test(here)) return;
    await page.keyboard.press('Tab');
  }
  assert.fail(`no Tab leads to ${name}`);
}

/** Types into what has the focus; a date goes in as the browser's language writes it. */
const typeDate = (page, label, value) => page.getByLabel(label).fill(value);

async function person(name) {
  const page = await openPage(browser);
  await enter(page, server, name);
  await page.goto(`${server.url}/devices/pump-1`);
  await page.locator('.commands').waitFor();
  return page;
}

async function askForRate(page, rate, birth = '1950-02-03') {
  await tabTo(page, /^Set the infusion rate…$/);
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Set the infusion rate' });
  await dialog.waitFor();
  await tabTo(page, /^Rate \(0 to 100 mL\/h\)/);
  await page.keyboard.type(rate);
  await page.keyboard.press('Tab');
  await page.keyboard.type('Testperson');
  await typeDate(dialog, 'Date of birth', birth);
  return dialog;
}

test('a physician asks, a second one agrees, the pump does it once and reads back: by keyboard', { timeout: 600_000 }, async () => {
  const paula = await person('paula');
  const dialog = await askForRate(paula, '5', '1950-02-04');
  await seen(paula, 'ask');
  await tabTo(paula, /^Ask a second person$/);
  await paula.keyboard.press('Enter');
  await dialog.getByRole('alert').waitFor();
  assert.match(await dialog.getByRole('alert').textContent(), /ate of birth is not what the record says/);
  await seen(paula, 'wrong-identifier');
  await typeDate(dialog, 'Date of birth', '1950-02-03');
  await tabTo(paula, /^Ask a second person$/);
  await paula.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await state(paula, 'Waits for a second person');
  assert.match(await newest(paula).textContent(), /Set the infusion rate: Rate 5 mL\/h/);
  assert.equal(await newest(paula).getByRole('button', { name: /Agree/ }).count(), 0, 'who asked is no second person');
  // What is asked again every second leaves the focus where it is.
  await tabTo(paula, /^Take back/);
  await paula.waitForTimeout(2_500);
  assert.match(await paula.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? ''), /^Take back/);
  await seen(paula, 'awaiting');
  assert.deepEqual(got, []);

  const petra = await person('petra');
  await tabTo(petra, /^Agree as second person…$/);
  await seen(petra, 'awaiting-second');
  await tabTo(petra, /^Agree as second person…$/);
  await petra.keyboard.press('Enter');
  const agree = petra.getByRole('dialog', { name: 'Agree as second person' });
  await agree.getByText('Rate 5 mL/h').waitFor();
  await tabTo(petra, /^Family name/);
  await petra.keyboard.type('Testperson');
  await typeDate(agree, 'Date of birth', '1950-02-03');
  await seen(petra, 'agree');
  await tabTo(petra, /^Agree: send it$/);
  await petra.keyboard.press('Enter');
  await agree.waitFor({ state: 'detached' });
  for (const page of [petra, paula]) {
    await state(page, 'Done');
    const text = await newest(page).textContent();
    assert.match(text, /Read back: rate 5 mL\/h/);
    assert.match(text, /by paula, agreed by petra/);
  }
  await seen(paula, 'done');
  assert.deepEqual(got, ['set-rate']);
  assert.deepEqual([...paula.problems, ...petra.problems], []);
});

test('taken back, moved to another patient, run out of time, refused by the pump, silent: each is seen for what it is', { timeout: 600_000 }, async () => {
  const paula = await person('paula');
  const before = got.length;
  const asked = async () => {
    const dialog = await askForRate(paula, '7');
    await tabTo(paula, /^Ask a second person$/);
    await paula.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    await state(paula, 'Waits for a second person');
  };
  await asked();
  await tabTo(paula, /^Take back/);
  await paula.keyboard.press('Enter');
  await state(paula, 'Cancelled: never sent');
  await asked();
  await putOn('78', 'Other, Bea', '1960-01-01');
  await state(paula, 'Refused: never sent');
  await paula.getByText('For another patient than the device is on now.').first().waitFor();
  await seen(paula, 'refused');
  assert.equal(got.length, before);
  await putOn('77', 'Testperson, Ada', '1950-02-03');
  await paula.getByText('MRN 77', { exact: true }).waitFor();

  const limit = async () => {
    await paula.getByRole('button', { name: 'Set the occlusion alarm limit…' }).click();
    const dialog = paula.getByRole('dialog', { name: 'Set the occlusion alarm limit' });
    await dialog.getByLabel('Pressure (50 to 750 mmHg)').fill('300');
    await dialog.getByLabel('Family name').fill('Testperson');
    await dialog.getByLabel('Date of birth').fill('1950-02-03');
    await dialog.getByRole('button', { name: 'Send', exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
  };
  manner = 'door';
  await limit();
  await state(paula, 'Failed');
  assert.match(await newest(paula).textContent(), /The door is open/);
  manner = 'silent';
  await limit();
  await state(paula, 'Sent, no answer yet');
  await seen(paula, 'sent');
  await state(paula, 'Unknown: look at the device');
  assert.match(await newest(paula).textContent(), /Go to the device and read what it is set to/);
  await seen(paula, 'unknown');
  assert.equal(got.length, before + 2, 'nothing is sent again');

  await pump.endAsync();
  await paula.getByRole('button', { name: 'Blink its light…' }).click();
  const blink = paula.getByRole('dialog', { name: 'Blink its light' });
  await blink.getByRole('button', { name: 'Send', exact: true }).click();
  await blink.waitFor({ state: 'detached' });
  await state(paula, 'Expired: never sent');
  await seen(paula, 'expired');
  manner = 'obedient';
  await connect();
  await paula.waitForTimeout(2_000);
  assert.equal(got.length, before + 2, 'what ran out is not sent late');
  assert.deepEqual(paula.problems, []);
  assert.deepEqual(found, []);
});

test('a nurse sees what was asked and is offered only what nurses may ask', { timeout: 300_000 }, async () => {
  const nora = await person('nora');
  await nora.getByRole('button', { name: 'Blink its light…' }).waitFor();
  assert.equal(await nora.getByRole('button', { name: 'Set the infusion rate…' }).count(), 0);
  await nora.locator('.command-state', { hasText: 'Done' }).first().waitFor();
  assert.equal(await nora.getByRole('button', { name: /Agree as second person/ }).count(), 0);
});
