// Pictures of each page: `npm run screens -- [folder] [page …]`; BASE_URL as for the tests.
import { mkdir } from 'node:fs/promises';
import { launch, openPage } from './browser.mjs';
import { startServer } from './server.mjs';

const [folder = '/tmp/vitalwire-screens', ...only] = process.argv.slice(2);
await mkdir(folder, { recursive: true });
const server = await startServer();
const first = (await (await fetch(`${server.url}/api/v1/ward`)).json()).tiles;
const worst = first.reduce((a, b) => ((b.score?.value ?? 0) > (a.score?.value ?? 0) ? b : a));
const quarantine = (await (await fetch(`${server.url}/api/v1/quarantine`)).json()).items;
const alerts = (await (await fetch(`${server.url}/api/v1/alerts`)).json()).alerts;
const pages = {
  ward: '/', patient: `/patients/${worst.patient.id}`, alerts: '/alerts', alert: `/alerts/${alerts[0]?.episode}`, devices: '/devices',
  device: `/devices/${worst.devices[0]?.id}`, quarantine: '/quarantine', message: `/quarantine/${quarantine.at(-2)?.offset}`,
};
const browser = await launch();
for (const [name, path] of Object.entries(pages)) {
  if (only.length && !only.includes(name)) continue;
  for (const [w, h] of [[1440, 900], [390, 844]]) {
    for (const colorScheme of ['light', 'dark']) {
      const page = await openPage(browser, { width: w, height: h, colorScheme });
      await page.goto(server.url + path);
      await page.waitForTimeout(2200);
      await page.screenshot({ path: `${folder}/${name}-${w}-${colorScheme}.png` });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      const high = await page.evaluate(() => document.documentElement.scrollHeight);
      console.log(name, w, colorScheme, wide > 0 ? `TOO WIDE by ${wide}` : 'ok', `height ${high}`, page.problems.join(' | '));
      await page.context().close();
    }
  }
}
await browser.close();
await server.stop();
process.exit(0);
