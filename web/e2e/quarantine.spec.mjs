// A payload that nobody understands is fixed with a profile, released, and flows.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, openPage } from './browser.mjs';
import { startServer } from './server.mjs';

const PROFILE = `[match]
topic = "e2e/{device}/spot"

[device]
topic = "device"

[[measurement]]
metric = "MDC_PULS_OXIM_PULS_RATE"
value = "$.pulse"

[[measurement]]
metric = "MDC_PULS_OXIM_SAT_O2"
value = "$.sat"
`;

let server, browser;
before(async () => {
  server = await startServer();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

test('a quarantined payload is fixed and released', { timeout: 180_000 }, async () => {
  const page = await openPage(browser);
  await page.goto(`${server.url}/quarantine`);
  await page.getByRole('heading', { name: 'Quarantine' }).waitFor();
  await server.publish('e2e/band-77/spot', JSON.stringify({ pulse: 71, sat: 97 }));
  await page.locator('.q-link', { hasText: 'e2e/band-77/spot' }).first().click();

  const detail = page.locator('.q-detail');
  await detail.getByText('would yield nothing').waitFor();
  assert.match(await detail.locator('.payload').textContent(), /"pulse": 71/);
  await detail.getByRole('combobox').selectOption('(new)');
  assert.match(await detail.locator('textarea').inputValue(), /metric = "MDC_PULS_OXIM_PULS_RATE"\nvalue = "\$\.pulse"/);

  await detail.locator('textarea').fill(PROFILE.replace('$.sat', '$.stat'));
  await detail.getByRole('button', { name: 'Test on this message' }).click();
  await detail.getByText('It yields 1 value.').waitFor();
  await detail.locator('textarea').fill(PROFILE);
  await detail.getByRole('button', { name: 'Test on this message' }).click();
  await detail.getByText('It yields 2 values.').waitFor();
  await detail.getByRole('button', { name: 'Save' }).click();
  await detail.getByText('would yield 2 values').waitFor();

  await detail.getByRole('button', { name: 'Release', exact: true }).click();
  await detail.getByText('It flows.').waitFor();
  await page.goto(`${server.url}/devices`);
  const row = page.locator('tr.announced', { hasText: 'band-77' });
  await row.waitFor();
  assert.deepEqual(page.problems, []);
});
