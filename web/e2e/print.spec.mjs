// A strip on paper: 25 mm are 25 mm. The PDF that the browser makes is taken apart and measured.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { launch, openPage } from './browser.mjs';
import { startServer } from './server.mjs';
import { kept, playWaves } from './waves.mjs';

const MM = 72 / 25.4;
let server, browser, monitor, patient;
before(async () => {
  server = await startServer();
  browser = await launch();
  monitor = await playWaves(server, 'e2e-print-1', 'Paperson, Pia');
  patient = await kept(server, 'Paperson, Pia', 42);
});
after(async () => {
  monitor?.stop();
  await browser?.close();
  await server?.stop();
});

const times = (a, b) => [a[0] * b[0] + a[1] * b[2], a[0] * b[1] + a[1] * b[3], a[2] * b[0] + a[3] * b[2], a[2] * b[1] + a[3] * b[3], a[4] * b[0] + a[5] * b[2] + b[4], a[4] * b[1] + a[5] * b[3] + b[5]];

/** All paths of a page's content stream as points in PostScript points. */
function paths(content) {
  const found = [], stack = [];
  let matrix = [1, 0, 0, 1, 0, 0], numbers = [], path = [];
  for (const word of content.split(/\s+/)) {
    const n = Number(word);
    if (word !== '' && Number.isFinite(n)) { numbers.push(n); continue; }
    if (word === 'q') stack.push(matrix);
    else if (word === 'Q') matrix = stack.pop() ?? matrix;
    else if (word === 'cm') matrix = times(numbers.slice(-6), matrix);
    else if (word === 'm' || word === 'l') {
      const [x, y] = numbers.slice(-2);
      const point = [x * matrix[0] + y * matrix[2] + matrix[4], x * matrix[1] + y * matrix[3] + matrix[5]];
      if (word === 'm') { if (path.length) found.push(path); path = [point]; } else path.push(point);
    } else if (/^[SsfFBbn]\*?$/.test(word)) { if (path.length) found.push(path); path = []; }
    numbers = [];
  }
  return found;
}

test('A4 landscape, 25 mm/s and 10 mm/mV on paper, one page after the other', { timeout: 240_000 }, async () => {
  const page = await openPage(browser);
  const from = Date.now() - 42_000;
  await page.goto(`${server.url}/patients/${patient}/print?from=${from}&to=${from + 40_000}`);
  await page.locator('.print-page[data-ready=yes]').waitFor();
  await page.locator('.paper-line .trace').first().waitFor();
  const pdf = await page.pdf({ preferCSSPageSize: true, printBackground: true });
  const text = pdf.toString('latin1');
  const boxes = [...text.matchAll(/\/MediaBox\s*\[([^\]]+)\]/g)].map((m) => m[1].trim().split(/\s+/).map(Number));
  assert.ok(boxes.length >= 1);
  for (const [, , width, height] of boxes) assert.ok(Math.abs(width / MM - 297) < 0.5 && Math.abs(height / MM - 210) < 0.5, `${width / MM} × ${height / MM} mm`);
  const marks = [];
  for (const m of text.matchAll(/stream\r?\n/g)) {
    let content;
    try { content = inflateSync(pdf.subarray(m.index + m[0].length)).toString('latin1'); } catch { continue; }
    // The calibration mark: over, up, over, down, over.
    for (const p of paths(content)) {
      if (p.length !== 6) continue;
      const d = p.slice(1).map((at, i) => [Math.abs(at[0] - p[i][0]) / MM, Math.abs(at[1] - p[i][1]) / MM]);
      if ([0, 2, 4].every((i) => d[i][1] < 0.01) && [1, 3].every((i) => d[i][0] < 0.01)) marks.push([d[2][0], d[1][1]]);
    }
  }
  assert.ok(marks.length >= 4, 'a mark on each of four lines');
  for (const [width, height] of marks) assert.ok(Math.abs(width - 5) < 0.02 && Math.abs(height - 10) < 0.04, `5 mm wide and 10 mm high: ${width} × ${height}`);
  console.log(`on paper: ${boxes.length} pages of ${(boxes[0][2] / MM).toFixed(1)} × ${(boxes[0][3] / MM).toFixed(1)} mm; 25 mm measure ${(marks[0][0] * 5).toFixed(3)} mm, 10 mm measure ${marks[0][1].toFixed(3)} mm`);
  assert.equal(await page.getByText(`Page ${boxes.length} of ${boxes.length}`).count(), 1, 'as many sheets as the page says');
  assert.match(await page.locator('.sheet').first().textContent(), /Paperson, Pia.*25 mm\/s · ECG 10 mm\/mV/s);
  assert.deepEqual(page.problems, []);
});
