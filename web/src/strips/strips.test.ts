import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { dice, encodeStream, encodeWave, heartbeat, sampleChannel } from '../testing/waves';
import { decodeStream } from '../waves/wire';
import { PieceCache } from './cache';
import { measure, measureWords, startCalipers } from './calipers';
import { drawStrip, laneScale, laneY } from './draw';
import { join, joinMarks } from './source';
import { columnsOf, copyWithin, endOf, gapsOf, toStretch, valueAt, type Stretch } from './stretches';
import { beatSummary, clampFrom, exportSpans, extent, moved, rangeFor, readSettings, spanMs, timeParam, tooLong } from './strips.state';

const stretch = (startMs: number, values: number[], stepMs = 4, pairs = false): Stretch => ({ startMs, stepMs, pairs, values: Float32Array.from(values) });

test('gaps lie between stretches, at the beginning and at the end', () => {
  const list = [stretch(100, Array<number>(25).fill(1)), stretch(1_000, Array<number>(25).fill(1))];
  expect(gapsOf(list, 0, 2_000)).toEqual([{ fromMs: 0, toMs: 100 }, { fromMs: 200, toMs: 1_000 }, { fromMs: 1_100, toMs: 2_000 }]);
  expect(gapsOf(list, 120, 180)).toEqual([]);
  expect(gapsOf([], 0, 500)).toEqual([{ fromMs: 0, toMs: 500 }]);
});

test('however a signal is cut into stretches, its gaps and columns are the same', () => {
  const raw = heartbeat(1_000, 4), random = dice(5);
  const whole = [stretch(1_000, raw)];
  for (let round = 0; round < 20; round++) {
    const parts: Stretch[] = [];
    for (let at = 0; at < raw.length;) { const n = 1 + Math.floor(random() * 200); parts.push(stretch(1_000 + 4 * at, raw.slice(at, at + n))); at += n; }
    expect(gapsOf(parts, 0, 6_000)).toEqual(gapsOf(whole, 0, 6_000));
    expect([...columnsOf(parts, 900, 5_300, 77)]).toEqual([...columnsOf(whole, 900, 5_300, 77)]);
  }
});

test('columns hold the lowest and the highest, of samples and of pairs', () => {
  expect([...columnsOf([stretch(0, [1, 5, -2, 4])], 0, 16, 2)]).toEqual([1, 5, -2, 4]);
  expect([...columnsOf([stretch(0, [-1, 3, 0, 9], 8, true)], 0, 16, 1)]).toEqual([-1, 9]);
  expect([...columnsOf([stretch(0, [NaN, 2])], 0, 16, 2)]).toEqual([2, 2, NaN, NaN]);
});

test('the value between two samples lies on the line through them', () => {
  const list = [stretch(0, [0, 10, NaN])];
  expect([valueAt(list, 2), valueAt(list, 4), valueAt(list, 6), valueAt(list, 99)]).toEqual([5, 10, NaN, NaN]);
  const into = new Float32Array(8);
  expect([copyWithin(list, 0, 100, into), endOf(list[0]!)]).toEqual([2, 12]);
});

test('pieces that overlap are not drawn twice', () => {
  const a = stretch(0, [1, 2, 3]), b = stretch(12, [4, 5]);
  expect(join([[a], [a, b]]).map((s) => s.startMs)).toEqual([0, 12]);
});

test('spans that were cut at a piece are one again; beats are there once', () => {
  const page = (from: number, to: number) => ({ beats: [[to, 'N']] as [number, string][], rhythms: [{ from_ms: from, to_ms: to, rhythm: 'regular' }], quality: [{ series: 1, from_ms: from, to_ms: to, reason: 'motion' }] });
  expect(joinMarks([page(0, 60), page(60, 120), page(60, 120)])).toEqual({ beats: [[60, 'N'], [120, 'N']], rhythms: [{ from_ms: 0, to_ms: 120, rhythm: 'regular' }], quality: [{ series: 1, from_ms: 0, to_ms: 120, reason: 'motion' }] });
});

test('calipers: 800 ms is 75 a minute; a difference of amplitude has a sign', () => {
  const m = measure({ a: 1_000, b: 1_800 }, (ms) => (ms === 1_000 ? 0.2 : 1.32));
  expect([m.ms, m.ratePerMin]).toEqual([800, 75]);
  expect(measureWords(m, 'mV')).toBe('800 ms · 75 /min · +1.12 mV');
  expect(measureWords(measure({ a: 5, b: 5 }, () => NaN), 'mV')).toBe('0 ms');
  expect(measure({ a: 1_800, b: 1_000 }, () => 1).ms).toBe(800);
});

test('calipers begin on two neighbouring beats in the middle', () => {
  expect(startCalipers(0, 1_000, [[100, 'N'], [480, 'N'], [700, 'V'], [900, 'N']])).toEqual({ a: 480, b: 700 });
  expect(startCalipers(0, 900, [])).toEqual({ a: 300, b: 600 });
  const random = dice(9);
  for (let round = 0; round < 100; round++) {
    const beats = Array.from({ length: Math.floor(random() * 6) }, () => [random() * 1_000, 'N'] as [number, string]).sort((a, b) => a[0] - b[0]);
    const { a, b } = startCalipers(0, 1_000, beats);
    expect(a < b && a >= 0 && b <= 1_000).toBe(true);
  }
});

test('time: 250 mm at 25 mm/s are ten seconds', () => expect(spanMs(250 * 3.7795, 25, 3.7795)).toBeCloseTo(10_000, 6));

test.each([
  ['ArrowLeft', false, 50_000, 49_000], ['ArrowLeft', true, 50_000, 40_000], ['PageUp', false, 50_000, 41_000], ['PageDown', false, 50_000, 59_000], ['Home', false, 50_000, 0], ['End', false, 50_000, 90_000], ['x', false, 50_000, null],
  ['PageUp', false, 500, -1_000], ['ArrowRight', true, 89_000, 91_000],
] as const)('key %s (shift %s) from %i', (key, shift, from, expected) => expect(moved(key, shift, from, 10_000, [0, 100_000])).toBe(expected));

test('the window always shows something of what there is', () => {
  expect([clampFrom(-1e9, 10_000, [0, 100_000]), clampFrom(1e9, 10_000, [0, 100_000])]).toEqual([-1_000, 91_000]);
  expect(extent([sampleChannel(1, { first_ms: 5, last_ms: 50 }), sampleChannel(2, { first_ms: 9, last_ms: 90, live: false })], 200)).toEqual([5, 200]);
});

test.each([[9 * 60_000, 600_000], [40 * 60_000, 3_600_000], [2 * 3_600_000, 6 * 3_600_000], [90 * 3_600_000, 24 * 3_600_000]])('an overview for %i ms', (ms, expected) => expect(rangeFor(0, ms)).toBe(expected));
test('settings and addresses that are strange', () => {
  expect(readSettings('{"speed":99,"gain":20}')).toEqual({ speed: 25, gain: 20, hidden: [] });
  expect([timeParam('1795284180253'), timeParam('x'), timeParam('-5'), timeParam(null)]).toEqual([1795284180253, null, null, null]);
  expect(beatSummary([[1, 'N'], [2, 'V'], [3, 'N']], (l) => l)).toBe('beats: 2 N, 1 V');
});

test('exports never reach beyond what there is, nor offer the same twice', () => {
  expect(exportSpans(500_000.4, 515_000.4, 0, 1_000_000).map((s) => [s.from, s.to])).toEqual([[500_000, 515_000], [357_500, 657_500], [0, 1_000_000]]);
});

test('a file that the server would refuse is not offered', () => {
  const hour = { from: 0, to: 3_600_000, word: '' }, four = [1, 2, 3, 4].map((n) => sampleChannel(n));
  expect([tooLong(hour, four, 'csv'), tooLong(hour, four.slice(0, 3), 'csv'), tooLong(hour, four, 'edf'), tooLong({ ...hour, to: 86_400_000 }, four, 'edf')]).toEqual([true, false, false, true]);
});

test('an ECG lane has exactly the chosen gain, whatever the signal', () => {
  const c = sampleChannel(1);
  for (const top of [0.2, 1, 8]) expect(laneScale(c, [stretch(0, [0, top, 0, 0])], 0, 100, 113, 3.78, 10).pxPerUnit).toBeCloseTo(37.8, 6);
  const lane = { channel: c, stretches: [], known: true, top: 10, height: 100, scale: { centre: 0, pxPerUnit: 10, word: '' } };
  expect([laneY(lane, 0), laneY(lane, 1), laneY(lane, 99), laneY(lane, -99)]).toEqual([60, 50, 10, 110]);
});

test('a strip is drawn without a failure, and a gap is named with its length', () => {
  const words: string[] = [];
  const ctx = new Proxy({}, { get: (_, name) => (name === 'measureText' ? () => ({ width: 40 }) : name === 'fillText' ? (t: string) => words.push(t) : () => undefined), set: () => true }) as CanvasRenderingContext2D;
  const channel = sampleChannel(1);
  const stretches = [stretch(0, heartbeat(500, 4).map((v) => v / 200)), stretch(5_000, heartbeat(1_000, 4).map((v) => v / 200))];
  const scale = laneScale(channel, stretches, 0, 9_000, 113, 3.78, 10);
  drawStrip(ctx, {
    width: 900, height: 200, mm: 3.78, axis: { fromMs: 0, pxPerMs: 0.0945 }, toMs: 9_500, alerts: [{ ms: 3_000, word: 'Asystole', priority: 'high' }], lanes: [{ channel, stretches, known: true, top: 48, height: 113, scale }], gain: 10, nowMs: 9_000, chosen: 0, colour: () => '#000',
    marks: { beats: [[200, 'N'], [1_000, 'V'], [1_500, 'x']], rhythms: [{ from_ms: 0, to_ms: 9_000, rhythm: 'atrial-fibrillation' }], quality: [{ series: 1, from_ms: 0, to_ms: 2_000, reason: 'motion' }] },
  });
  expect(words).toEqual(expect.arrayContaining(['N', 'V', '800', 'Atrial fibrillation', 'Asystole', 'no signal 3.0 s', '⚠ motion', 'ECG II', '10 mm/mV']));
});

test('what comes from the server is what is drawn', () => {
  const { messages } = decodeStream(encodeStream([encodeWave({ startMs: 40, raw: [10, -32_768, 30], scale: 0.5, rate: [125, 2] })]));
  expect({ ...toStretch(messages[0]!), values: [...toStretch(messages[0]!).values] }).toEqual({ startMs: 40, stepMs: 16, pairs: false, values: [5, NaN, 15] });
});

beforeEach(() => { vi.useFakeTimers(); vi.setSystemTime(1_000_000); });
afterEach(() => { vi.useRealTimers(); });

test('a piece is loaded once; one that reaches into the present again; a failed one after a while', async () => {
  const asked: number[] = [], changed = vi.fn();
  let fails = true;
  const cache = new PieceCache<number>({ pieceMs: 10_000, keep: 3, now: Date.now, onChange: changed, load: async (from) => { asked.push(from); if (from === 950_000 && fails) throw new Error('no'); return from; } });
  expect([cache.within(955_000, 965_000), cache.known(955_000, 965_000)]).toEqual([[], false]);
  await vi.advanceTimersByTimeAsync(0);
  expect([cache.within(955_000, 965_000), cache.failure]).toEqual([[960_000], '']);
  expect(changed).toHaveBeenCalledTimes(2);
  await vi.advanceTimersByTimeAsync(5_100);
  expect(changed).toHaveBeenCalledTimes(3);
  fails = false;
  cache.within(955_000, 965_000);
  await vi.advanceTimersByTimeAsync(0);
  expect(cache.within(955_000, 965_000)).toEqual([950_000, 960_000]);
  expect(asked).toEqual([950_000, 960_000, 950_000]);
  cache.within(1_000_000, 1_005_000);
  await vi.advanceTimersByTimeAsync(2_000);
  cache.within(1_000_000, 1_005_000);
  await vi.advanceTimersByTimeAsync(0);
  expect(asked.filter((a) => a === 1_000_000).length).toBe(2);
  cache.close();
});
