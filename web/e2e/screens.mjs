// The README's pictures, made from the running program: `npm run screens [-- MINUTES [house]]`. Starts `vitalwire demo` (VITALWIRE_BIN,
// else what cargo built last), lets the ward live for MINUTES (6), then writes docs/screenshots; then the pages of security from a locked
// house with life in it (`house`: those alone; with a folder behind it, every page and dialog into that folder, light and dark, desk and
// phone, for people to look at). pngquant, where it is installed, makes them a third of the size.
import { execFile, spawn } from 'node:child_process';
import { mkdir, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import mqtt from 'mqtt';
import { launch, openPage, settled } from './browser.mjs';
import { startHouse } from './house.mjs';
import { until } from './scenario.mjs';
import { enter, play, SCENES } from './scenes.mjs';
import { program } from './server.mjs';

const MINUTES = Number(process.argv[2] ?? 6);
const FOLDER = fileURLToPath(new URL('../../docs/screenshots', import.meta.url));
await mkdir(FOLDER, { recursive: true });

/** Keeps what is shown. */
async function keep(page, file) {
  await page.screenshot({ path: file });
  await promisify(execFile)('pngquant', ['--force', '--ext', '.png', '--skip-if-larger', '128', file]).catch((e) => console.log(`pngquant: ${e.message.split('\n')[0]}`));
  console.log(file, `${((await stat(file)).size / 1_000).toFixed(0)} kB`, page.problems.join(' | '));
}

/** What the alarm laboratory is asked on the trial ward. */
const TRIED = { title: 'Heart rate: when to call', sweep: [{ path: 'limit.HR.high', from: 110, to: 145, step: 5 }], budget: 500 };

/** The trial ward: pages of patients and devices. */
async function wardPictures(browser) {
  const demo = spawn(program(), ['demo', '--http', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  demo.stdout.on('data', (d) => { said += d; });
  await until(async () => said, (s) => /MQTT \S+:\d+/.test(s));
  const url = /http:\/\/\S+/.exec(said)[0];
  const get = async (path) => (await fetch(`${url}/api/v1${path}`)).json();
  console.log(`${url}: the ward lives for ${MINUTES} min`);

  // A band that nobody has written a profile for, and a pump that says something broken.
  const client = await mqtt.connectAsync(`mqtt://${/MQTT ([^,\s]+:\d+)/.exec(said)[1]}`);
  const band = (n) => client.publishAsync(`acme/band-${n}/spot`, JSON.stringify({ pulse: 70 + n, sat: 97, battery: 64 }), { qos: 1 });
  await new Promise((r) => setTimeout(r, MINUTES * 60_000));
  for (const n of [31, 32]) await band(n);
  await client.publishAsync('vitalwire/pump-3/measurements', '[{"n":"MDC_NO_SUCH_METRIC","v":3}]', { qos: 1 });
  await band(31);
  await client.endAsync();

  const message = (await until(() => get('/quarantine'), (q) => q.items.length >= 4)).items.find((i) => i.address === 'acme/band-31/spot');
  const worst = (await get('/ward')).tiles.reduce((a, b) => ((b.score?.value ?? 0) > (a.score?.value ?? 0) ? b : a));
  const { tiles } = await get('/ward');
  const waving = tiles.find((t) => t.waves && t.values.some((v) => v.metric.startsWith('MDC_PRESS_BLD_ART'))) ?? tiles.find((t) => t.waves);
  const tried = await (await fetch(`${url}/api/v1/laboratory/runs`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(TRIED) })).json();
  await until(() => get(`/laboratory/runs/${tried.id}`), (run) => run.state === 'done');
  const SHOTS = [['station', '/waves', 1440, 900], ['waves', `/patients/${waving.patient.id}/waves?at=${Date.now() - 30_000}`, 1440, 900], ['disclosure', `/patients/${waving.patient.id}/disclosure`, 1440, 900], ['ward', '/', 1440, 900], ['patient', `/patients/${worst.patient.id}`, 1440, 900], ['alerts', '/alerts', 1440, 640], ['quarantine', `/quarantine/${message.offset}`, 1440, 900], ['worklist', '/worklist', 1440, 900], ['laboratory', `/laboratory/runs/${tried.id}`, 1440, 900], ['phone', '/', 390, 844]];

  for (const [name, path, width, height] of SHOTS) {
    for (const colorScheme of name === 'phone' ? ['dark'] : ['light', 'dark']) {
      const page = await openPage(browser, { width, height, colorScheme });
      if (name === 'phone') await page.addInitScript(() => localStorage.setItem('vw-ward', '|concern'));
      await page.goto(url + path);
      await settled(page);
      if (name === 'ward' || name === 'phone') await page.locator('.cell.live').first().waitFor();
      if (name === 'station') await page.waitForTimeout(5_000);
      if (name === 'waves') { await page.locator('.strip-still').waitFor(); await page.keyboard.press('c'); }
      if (name === 'patient') await page.locator('.chart canvas').first().waitFor();
      await page.waitForTimeout(1_500);
      const file = `${FOLDER}/${name}-${colorScheme}.png`;
      await keep(page, file);
      await page.context().close();
    }
  }
  demo.kill('SIGINT');
}

/** Scenes of docs/screenshots: name, colours, width, height. */
const OF_README = [['trust', 'light', 1440, 900], ['audit-record', 'light', 1440, 900], ['break-glass', 'light', 1440, 900], ['privacy', 'dark', 1440, 900]];
const LOOKS = [['light', 1440, 900], ['dark', 1440, 900], ['light', 390, 844], ['dark', 390, 844]];

/** The locked house: pages of security; every one of them into `folder`, if there is one. */
async function housePictures(browser, folder) {
  const house = await startHouse();
  const pages = new Map();
  for (const scene of SCENES) {
    const wanted = folder ? LOOKS.map((look) => [scene[0], ...look]) : OF_README.filter(([name]) => name === scene[0]);
    for (const [name, colorScheme, width, height] of wanted) {
      if (!pages.has(scene[1])) {
        const page = await openPage(browser);
        await enter(page, house, scene[1]);
        pages.set(scene[1], page);
      }
      const page = pages.get(scene[1]);
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height });
      await play(page, house, scene);
      await keep(page, folder ? `${folder}/${name}-${colorScheme}-${width}.png` : `${FOLDER}/${name}-${colorScheme}.png`);
    }
  }
  await house.stop();
}

const browser = await launch();
if (process.argv[3] !== 'house') await wardPictures(browser);
await housePictures(browser, process.argv[4]);
await browser.close();
