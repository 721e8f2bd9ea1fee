// The fleet: what was heard is in the inventory, an advisory makes a vulnerability that is acknowledged with a reason; by keyboard, and axe finds nothing.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { look } from './axe.mjs';
import { launch, openPage, settled } from './browser.mjs';
import { until } from './scenario.mjs';
import { startServer } from './server.mjs';

let server, browser;
before(async () => {
  server = await startServer();
  browser = await launch();
  await server.publish('vitalwire/pump-1/status', JSON.stringify({ manufacturer: 'Acme', model: 'P2', serial: 'S-77', version: '2.3' }));
  await server.publish('vitalwire/pump-1/measurements', '[{"n":"VW_STEPS","v":1}]');
  const send = async (method, path, body) => {
    const answer = await fetch(`${server.url}/api/v1/fleet${path}`, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.text()}`);
  };
  await send('PUT', '/minimums', [{ manufacturer: 'Acme', model: 'P2', version: '2.4' }]);
  await send('POST', '/advisories', { name: 'office.csv', text: 'id,title,manufacturer,model,versions,cvss\nCVE-2099-7,Open door,Acme,P2,<2.4,9.1\n' });
  const listed = async () => (await fetch(`${server.url}/api/v1/fleet/inventory?q=pump-1`)).json();
  await until(listed, (page) => page.devices.some((d) => d.firmware === '2.3'));
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

test('inventory, verdict, vulnerability, acknowledgement', { timeout: 300_000 }, async () => {
  const page = await openPage(browser);
  await page.goto(`${server.url}/fleet`);
  const row = page.getByRole('row', { name: /pump-1/ });
  await row.waitFor();
  assert.match(await row.textContent(), /Too old.*older than 2\.4/);
  await page.getByLabel('Search the inventory').fill('nothing like it');
  await page.getByText('No device fits').waitFor();
  await page.getByLabel('Search the inventory').fill('S-77');
  await row.waitFor();
  const found = await look(page, 'inventory');

  await page.getByRole('button', { name: 'Updates' }).focus();
  await page.keyboard.press('Enter');
  await page.getByText('No campaign yet.').waitFor();
  await page.getByRole('button', { name: 'New campaign…' }).click();
  await page.getByText('No signed firmware is here').waitFor();
  await page.keyboard.press('Escape');
  found.push(...(await look(page, 'updates')));

  await page.getByRole('button', { name: 'Vulnerabilities' }).click();
  await page.getByText('CVE-2099-7').first().waitFor();
  found.push(...(await look(page, 'vulnerabilities')));
  await page.getByRole('button', { name: /^Acknowledge/ }).click();
  await page.getByLabel('Why may it stay?').fill('not on the network');
  await settled(page);
  found.push(...(await look(page, 'acknowledge')));
  await page.getByRole('dialog').getByRole('button', { name: 'Acknowledge' }).click();
  await page.getByText('“not on the network”').waitFor();

  await page.getByRole('button', { name: 'Broken habits' }).click();
  await page.getByText('Every device keeps to its habits.').waitFor();
  assert.deepEqual([...found, ...page.problems], []);
});
