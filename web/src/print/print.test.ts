import { expect, test } from 'vitest';
import { T0 } from '../testing/samples';
import { sampleChannel } from '../testing/waves';
import { findings, gridPath, LINE_MM, lineHeight, linesOf, MOST_LINES, readRequest, sheetsOf, tracePath, USABLE_MM } from './print.state';

const query = (text: string) => readRequest(new URLSearchParams(text));
test.each([
  [`from=${T0}&to=${T0 + 5_000}`, { from: T0, to: T0 + 5_000, series: [], gain: 10, speed: 25 }],
  [`from=${T0}&to=${T0 + 1}&series=3,x,4.5,1&gain=99&speed=50`, { from: T0, to: T0 + 1, series: [3, 1], gain: 10, speed: 50 }],
  ['from=1&to=2', null], ['', null], [`from=${T0}&to=${T0 - 1}`, null], [`from=NaN&to=${T0}`, null],
])('address %s', (text, expected) => expect(query(text)).toEqual(expected));

test('ten seconds a line at 25 mm/s, five at 50; all of the interval, and an end', () => {
  for (const [speed, ms] of [[12.5, 20_000], [25, 10_000], [50, 5_000]] as const) {
    const lines = linesOf(T0, T0 + 61_000, speed);
    expect(lines[0]!.to - lines[0]!.from).toBe(ms);
    expect(lines[lines.length - 1]!.to).toBeGreaterThanOrEqual(T0 + 61_000);
    lines.slice(1).forEach((l, i) => expect(l.from).toBe(lines[i]!.to));
  }
  expect(linesOf(T0, T0 + 10_000, 25).length).toBe(1);
  expect(linesOf(T0, T0 + 1e9, 25).length).toBe(MOST_LINES);
});

test('sheets hold what fits, in order, at least one line', () => {
  const lines = linesOf(T0, T0 + 100_000, 25);
  const height = lineHeight([sampleChannel(1), sampleChannel(2, { metric: 'MDC_PULS_OXIM_PLETH' })], 10);
  const sheets = sheetsOf(lines, height);
  expect(sheets.flat()).toEqual(lines);
  for (const s of sheets) expect(s.length * height).toBeLessThanOrEqual(USABLE_MM);
  expect(sheetsOf(lines, 999).length).toBe(lines.length);
});

test('a second is 25 mm, a millivolt 10 mm, a hole is a hole', () => {
  const path = tracePath([{ startMs: T0, stepMs: 1_000, pairs: false, values: Float32Array.from([0, 1, NaN, 0]) }], { from: T0, to: T0 + 10_000 }, 25, { centre: 0, pxPerUnit: 10, word: '' }, 20, 15);
  expect(path).toBe('M0.00 20.00L25.00 10.00M75.00 20.00');
  const cut = [{ startMs: T0, stepMs: 1_000, pairs: false, values: Float32Array.from([0, 1]) }, { startMs: T0 + 2_000, stepMs: 1_000, pairs: false, values: Float32Array.from([0]) }];
  expect(tracePath(cut, { from: T0, to: T0 + 10_000 }, 25, { centre: 0, pxPerUnit: 10, word: '' }, 20, 15)).toBe('M0.00 20.00L25.00 10.00L50.00 20.00');
  expect(gridPath(LINE_MM, 10, 5).match(/V/g)?.length).toBe(51);
});

test('findings in words', () => {
  const c = sampleChannel(1);
  expect(findings([{ from_ms: T0 - 1, to_ms: T0 + 99_000, rhythm: 'regular' }], [{ series: 1, from_ms: T0 + 1_000, to_ms: T0 + 2_000, reason: 'lead-off' }, { series: 9, from_ms: T0, to_ms: T0 + 1, reason: 'flat' }], [c], T0, T0 + 10_000).map((f) => f.replace(/\d\d:\d\d:\d\d/g, 't')))
    .toEqual(['Regular throughout', 'ECG II: lead off t–t']);
});
