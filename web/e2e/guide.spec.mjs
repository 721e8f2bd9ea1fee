// docs/connect-a-device.md, followed by the letter: its commands and texts are taken from the page itself.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { look } from './axe.mjs';
import { launch, openPage } from './browser.mjs';
import { program, startServer } from './server.mjs';

const GUIDE = await readFile(new URL('../../docs/connect-a-device.md', import.meta.url), 'utf8');
const STEPS = Object.fromEntries([...GUIDE.matchAll(/<!-- step: ([\w-]+) -->\n```\w*\n([\s\S]*?)```/g)].map(([, name, text]) => [name, text]));
const SHOTS = process.env.GUIDE_SHOTS;

let server, browser;
before(async () => {
  server = await startServer();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Runs a step's commands in a shell, with `vitalwire` and the addresses of the server under test; gives what they printed. */
async function shell(step, cwd = server.data) {
  const bin = join(server.data, 'bin');
  await mkdir(bin, { recursive: true });
  await symlink(program(), join(bin, 'vitalwire')).catch(() => undefined);
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, HTTP: server.doors.http, MQTT_PORT: server.doors.mqtt.split(':')[1] };
  const child = spawn('bash', ['-euc', STEPS[step]], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const out of [child.stdout, child.stderr]) out.on('data', (d) => { said += d; });
  const code = await new Promise((resolve, reject) => child.once('close', resolve).once('error', reject));
  assert.equal(code, 0, `${step}: ${said}`);
  return said;
}

async function keep(page, name) {
  if (!SHOTS) return;
  for (const [colorScheme, width, height] of [['light', 1440, 900], ['dark', 1440, 900], ['light', 390, 844], ['dark', 390, 844]]) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height });
    await page.screenshot({ path: join(SHOTS, `${name}-${colorScheme}-${width}.png`), fullPage: true });
  }
  await page.setViewportSize({ width: 1440, height: 900 });
}

test('the guide has its steps', () => {
  assert.deepEqual(Object.keys(STEPS), ['start', 'where', 'publish', 'profile', 'patient', 'command-line']);
  assert.equal(STEPS.start.trim(), 'vitalwire serve --data trial --open');
  assert.deepEqual([...STEPS.where.matchAll(/(\w+)=/g)].map((m) => m[1]), ['HTTP', 'MQTT_PORT']);
});

test('from a payload to a tile without a restart', { timeout: 300_000 }, async () => {
  const page = await openPage(browser);
  await shell('publish');
  await page.goto(server.url);
  await page.getByRole('link', { name: 'Quarantine' }).first().click();
  await page.locator('.q-link', { hasText: 'acme/band-31/spot' }).first().click();
  const detail = page.locator('.q-detail');
  await detail.getByText('unmatched').first().waitFor();

  // The draft needs no change but that what is not guessed goes out.
  await detail.getByText('Fix the profile').waitFor();
  const box = detail.locator('textarea');
  const bare = (text) => text.split('\n').filter((line) => line && !line.startsWith('#')).join('\n');
  assert.equal(bare(await box.inputValue()), bare(STEPS.profile));
  await box.fill(STEPS.profile);
  await detail.getByRole('button', { name: 'Test on this message' }).click();
  await detail.getByText('It yields 4 values.').waitFor();
  assert.deepEqual(await look(page, 'profile tester'), []);
  await keep(page, 'tester');
  await detail.getByRole('button', { name: 'Save' }).click();
  await detail.getByText('would yield 4 values').waitFor();
  await detail.getByRole('button', { name: 'Release', exact: true }).click();
  await detail.getByText('It flows.').waitFor();

  await shell('patient');
  await page.getByRole('link', { name: 'Devices' }).first().click();
  await page.locator('tr.announced', { hasText: 'band-31' }).getByRole('link', { name: 'band-31' }).click();
  await page.getByRole('button', { name: 'Put on a patient' }).click();
  await page.getByLabel('Name or record number').fill('4711');
  await page.getByRole('button', { name: /Guide/ }).click();
  await page.getByRole('button', { name: 'Take off' }).waitFor();

  await shell('publish');
  await page.goto(server.url);
  const tile = page.locator('.tile', { hasText: 'Guide' });
  await tile.locator('.cell.live').first().waitFor();
  const shown = (await tile.textContent()).replace(/\s+/g, ' ');
  for (const value of ['72', '97']) assert.ok(shown.includes(value), shown);
  await keep(page, 'tile');
  assert.deepEqual(page.problems, []);
});

test('the same profile on the command line', { timeout: 120_000 }, async () => {
  const folder = join(server.data, 'guide');
  await mkdir(join(folder, 'trial/profiles'), { recursive: true });
  await writeFile(join(folder, 'acme.toml'), STEPS.profile);
  const said = await shell('command-line', folder);
  assert.match(said, /4 measurements, 0 problems/);
  assert.match(said, /band-31 MDC_TEMP_BODY = 37 Cel/);
});
