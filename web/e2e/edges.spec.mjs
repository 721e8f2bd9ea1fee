// Edges on the fleet page: one is registered, started with the command that is shown, told what to send and to take another token,
// and missed when it is gone; axe finds nothing on the way.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { look } from './axe.mjs';
import { launch, openPage, settled } from './browser.mjs';
import { program, startServer } from './server.mjs';

let server, browser, edge, data;
before(async () => {
  server = await startServer();
  browser = await launch();
  data = await mkdtemp(join(tmpdir(), 'vitalwire-edge-'));
});
const halt = async () => {
  if (!edge || edge.exitCode !== null || edge.signalCode !== null) return;
  const ended = new Promise((resolve) => edge.once('exit', resolve));
  edge.kill('SIGTERM');
  await ended;
};
after(async () => {
  await halt();
  await browser?.close();
  await server?.stop();
  await rm(data, { recursive: true, force: true });
});

/** Starts the edge as the page says, on free ports of this machine. */
function start(command) {
  const [, id, code] = /--id (\S+) --code (\S+)/.exec(command);
  const own = ['--data', data, '--open', '--http', '127.0.0.1:0', '--mqtt', '127.0.0.1:0', '--mllp', '127.0.0.1:0'];
  edge = spawn(program(), ['edge', '--id', id, '--code', code, '--centre', server.url, ...own], {
    stdio: 'ignore', env: { ...process.env, RUST_LOG: 'warn', VITALWIRE_EDGE_INSECURE: 'true' },
  });
}

test('an edge from its registration to its silence', { timeout: 300_000 }, async () => {
  const page = await openPage(browser);
  await page.goto(`${server.url}/fleet`);
  await page.getByRole('button', { name: 'Edges' }).click();
  await page.getByText('No edge is registered.').waitFor();
  await page.getByRole('button', { name: 'New edge…' }).click();
  await page.getByLabel('Id').fill('ward-7');
  await page.getByLabel('Name').fill('Ward 7');
  const found = await look(page, 'new edge');
  await page.getByRole('button', { name: 'Register' }).click();
  const command = await page.getByLabel('Command').textContent();
  assert.ok(command.includes(`--centre ${server.url} --id ward-7 --code `), command);
  await settled(page);
  found.push(...(await look(page, 'its command')));
  await page.getByRole('button', { name: 'Done' }).click();
  const line = page.getByRole('listitem').filter({ hasText: 'Ward 7' });
  await line.getByText('Not set up yet').waitFor();

  start(command);
  await line.getByText('Connected').waitFor();
  await line.getByText('All that it took in is here.').waitFor();
  await line.getByText('Sends every value and all waveforms.').waitFor();
  await line.getByRole('button', { name: /^What it sends/ }).click();
  await page.getByRole('combobox', { name: /^Waveforms/ }).selectOption('around-alerts');
  await page.getByRole('combobox', { name: /^Around alerts of priority/ }).selectOption('high');
  found.push(...(await look(page, 'what it sends')));
  await page.getByRole('button', { name: 'Save' }).click();
  await line.getByText('all waveforms from 60 s before to 60 s after alerts of high priority').waitFor();
  await line.getByRole('button', { name: /^New token/ }).click();
  await page.getByText('The edge takes another token at its next word.').waitFor();
  await line.getByText('What was left out').click();
  await line.getByText('Nothing: all that it took in was sent').waitFor();
  const configured = line.getByText('The newest configuration is not in force there yet.');
  await configured.waitFor({ state: 'detached' });
  await settled(page);
  found.push(...(await look(page, 'edges')));

  await halt();
  await line.getByText('Not heard').waitFor({ timeout: 120_000 });
  await line.getByText('It alarms by itself and keeps what it takes in').waitFor();
  found.push(...(await look(page, 'an edge that is silent')));
  assert.deepEqual([...found, ...page.problems], []);
});
