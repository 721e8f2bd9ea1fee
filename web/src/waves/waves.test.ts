import { expect, test, vi } from 'vitest';
import { dice, encodeStream, encodeWave, heartbeat, sampleChannel } from '../testing/waves';
import { arrangeChannels, kindOf, leadEcg, reasonWord, rhythmWeight, rhythmWord } from './channels';
import { Pacer } from './pacer';
import { msOf, rulerFrom, xOf } from './paper';
import { WaveRing } from './ring';
import { fit, spread } from './scale';
import { Sweep, SweepTrace } from './sweep';
import { decodeStream, decodeWave, MISSING, physical, thinWords, ViewNumbers } from './wire';

const message = (over: Parameters<typeof encodeWave>[0]) => decodeWave(encodeWave(over))!;

test('any message comes back as it was sent', () => {
  const random = dice(7);
  for (let round = 0; round < 200; round++) {
    const pairs = random() < 0.5, count = Math.floor(random() * 50);
    const raw = Array.from({ length: pairs ? 2 * count : count }, () => Math.floor(random() * 65_536) - 32_768);
    const sent = { view: Math.floor(random() * 2 ** 32), startMs: 1.79e12 + random() * 1e9, rate: [1 + Math.floor(random() * 1_000), 1 + Math.floor(random() * 9)] as [number, number], scale: Math.fround(random()), offset: Math.fround(random() - 0.5), raw, pairs, thinned: random() < 0.5 };
    const m = message(sent);
    expect({ view: m.view, startMs: m.startMs, scale: m.scale, offset: m.offset, raw: [...m.raw], pairs: m.pairs, thinned: m.thinned, count: m.count })
      .toEqual({ view: sent.view, startMs: sent.startMs, scale: sent.scale, offset: sent.offset, raw, pairs, thinned: sent.thinned, count });
    expect(m.stepMs).toBeCloseTo((1_000 * sent.rate[1]) / sent.rate[0], 9);
  }
});

test('any bytes are a message or none, never a failure', () => {
  const random = dice(11);
  for (let round = 0; round < 500; round++) {
    const bytes = new Uint8Array(Array.from({ length: Math.floor(random() * 80) }, () => Math.floor(random() * 256)));
    if (bytes.length > 1 && random() < 0.5) bytes.set([1, 1 + Math.floor(random() * 2)]);
    expect(() => [decodeWave(bytes.buffer), decodeStream(bytes.buffer)]).not.toThrow();
  }
});

test.each([
  ['another version', (v: DataView) => v.setUint8(0, 2)], ['an unknown kind', (v: DataView) => v.setUint8(1, 3)], ['a rate of zero', (v: DataView) => v.setUint32(16, 0, true)],
  ['a count that is not there', (v: DataView) => v.setUint32(32, 4_000_000_000, true)], ['a time that is none', (v: DataView) => v.setFloat64(8, NaN, true)],
])('%s is not understood', (_name, spoil) => {
  const buffer = encodeWave({ raw: [1, 2, 3] });
  spoil(new DataView(buffer));
  expect(decodeWave(buffer)).toBeNull();
});

test('a stream: each stretch; what is cut off is counted', () => {
  const whole = encodeStream([encodeWave({ raw: [1, 2, 3] }), encodeWave({ raw: [4], view: 9 })]);
  expect(decodeStream(whole).messages.map((m) => [...m.raw])).toEqual([[1, 2, 3], [4]]);
  expect(decodeStream(whole.slice(0, whole.byteLength - 1))).toMatchObject({ broken: 1, messages: [{ count: 3 }] });
});

test('missing is no number; 62.5 Hz is 16 ms', () => {
  const m = message({ raw: [MISSING, 100], scale: 0.5, offset: -1, rate: [125, 2] });
  expect([physical(m, m.raw[0]!), physical(m, m.raw[1]!), m.stepMs]).toEqual([NaN, 49, 16]);
});

const points = (ring: WaveRing) => Array.from({ length: ring.end - ring.begin }, (_, i) => [ring.timeAt(ring.begin + i), ring.valueAt(ring.begin + i)]);

test('a ring keeps samples in their place; a hole is one gap; what comes again is counted and left out', () => {
  const ring = new WaveRing(64);
  ring.push(message({ startMs: 0, raw: [1, 2] }));
  ring.push(message({ startMs: 4, raw: [2, 3] }));
  ring.push(message({ startMs: 100, raw: [9] }));
  expect(points(ring)).toEqual([[0, 1], [4, 2], [8, 3], [100, NaN], [100, 9]]);
  expect(ring.repeated).toBe(1);
});

test('however samples are divided into messages, the ring is the same', () => {
  const raw = heartbeat(500, 4), random = dice(3);
  const whole = new WaveRing(600);
  whole.push(message({ raw }));
  for (let round = 0; round < 30; round++) {
    const ring = new WaveRing(600);
    for (let at = 0; at < raw.length;) {
      const n = 1 + Math.floor(random() * 60);
      ring.push(message({ startMs: at * 4, raw: raw.slice(at, at + n) }));
      at += n;
    }
    expect(points(ring)).toEqual(points(whole));
  }
});

test('a ring forgets the oldest and finds by time', () => {
  const ring = new WaveRing(16);
  ring.push(message({ raw: Array.from({ length: 100 }, (_, i) => i) }));
  expect([ring.begin, ring.end, ring.timeAt(ring.begin), ring.valueAt(99), ring.find(360), ring.find(0), ring.find(1e9)]).toEqual([84, 100, 336, 99, 90, 84, 100]);
});

test('a clock that steps back begins anew', () => {
  const ring = new WaveRing(16);
  ring.push(message({ startMs: 60_000, raw: [1, 2] }));
  ring.push(message({ startMs: 1_000, raw: [3] }));
  expect([points(ring), ring.jumps]).toEqual([[[1_000, 3]], 1]);
});

test('lowest and highest of a thinned channel become two points', () => {
  const ring = new WaveRing(16);
  ring.push(message({ raw: [-5, 7], pairs: true, rate: [100, 1] }));
  expect(points(ring)).toEqual([[0, -5], [5, 7]]);
});

test('the head runs evenly behind the bursts and never overtakes them', () => {
  const pacer = new Pacer();
  let newest = 0, before = -Infinity, overtaken = 0;
  for (let now = 1_000; now < 60_000; now += 1000 / 60) {
    if (Math.floor(now / 1_000) * 1_000 - 150 > newest) { const to = Math.floor(now / 1_000) * 1_000 - 150; pacer.arrived(now, newest, to); newest = to; }
    const head = pacer.head(now);
    if (now > 8_000) {
      expect(head - before).toBeGreaterThan(0.9 * (1000 / 60));
      expect(head - before).toBeLessThan(1.1 * (1000 / 60));
      if (head > newest) overtaken++;
    }
    before = head;
  }
  expect(overtaken).toBe(0);
  expect(pacer.delayMs).toBeLessThan(2_000);
});

test('a recording is followed in its own time, and left again when the device is live', () => {
  const pacer = new Pacer(), now = 1.79e12, then = now - 3.15e10;
  for (let s = 0; s < 5_000; s += 1_000) pacer.arrived(now + s, then + s - 1_000, then + s);
  expect(pacer.recordedMs).toBe(now - then);
  expect(pacer.head(now + 5_000)).toBeLessThan(then + 5_000);
  expect(pacer.head(now + 5_016)).toBeGreaterThan(then + 2_000);
  pacer.arrived(now + 6_000, now + 5_000, now + 6_000);
  expect(pacer.recordedMs).toBe(0);
});

test('an ECG gets one of the usual gains that fits; equal values no scale of infinity', () => {
  const s = fit('ecg', -0.3, 0, 1.2, 70, 3.78);
  expect(s.word).toBe('10 mm/mV');
  for (const v of [-0.3, 1.2]) expect(Math.abs(v - s.centre) * s.pxPerUnit).toBeLessThanOrEqual(35);
  expect(fit('ecg', -2, 0, 3, 70, 3.78).word).toBe('2.5 mm/mV');
  expect(fit('abp', 62, 80, 131, 70, 3.78).word).toBe('60–140');
  expect(Number.isFinite(fit('pleth', 1, 1, 1, 70, 3.78).pxPerUnit)).toBe(true);
  expect(spread(Float32Array.from([5, 1, 3]), 3)).toEqual({ low: 1, middle: 3, high: 5 });
});

/** A canvas that only notes what is drawn on it. */
function paper() {
  const drawn: [string, number, number][] = [];
  const ctx = { beginPath: vi.fn(), stroke: vi.fn(), moveTo: (x: number, y: number) => drawn.push(['move', x, y]), lineTo: (x: number, y: number) => drawn.push(['line', x, y]), clearRect: vi.fn() };
  return { drawn, ctx, sweep: new Sweep(ctx as unknown as CanvasRenderingContext2D) };
}

test('a sweep draws each sample once, at its place, and never a line across the whole picture', () => {
  const { drawn, ctx, sweep } = paper();
  const ring = new WaveRing(4_096);
  const trace = new SweepTrace(ring, 'ecg');
  trace.lane = { top: 0, height: 80 };
  Object.assign(sweep, { width: 200, height: 80, pxPerMs: 0.1, traces: [trace] });
  for (let t = 0; t < 6_000; t += 100) ring.push(message({ startMs: 1e12 + t, raw: heartbeat(25, 4), scale: 0.005 }));
  for (let head = 1e12 + 1_000; head < 1e12 + 6_000; head += 1000 / 60) sweep.frame(head);
  let x = NaN;
  for (const [what, at, y] of drawn) {
    if (what === 'line') expect(Math.abs(at - x)).toBeLessThan(2);
    expect(at).toBeGreaterThanOrEqual(0);
    expect(at).toBeLessThan(200);
    expect(y).toBeGreaterThanOrEqual(0);
    expect(y).toBeLessThanOrEqual(80);
    x = at;
  }
  const lines = drawn.filter(([what]) => what === 'line').length;
  expect(lines).toBeGreaterThan(1_200);
  expect(lines).toBeLessThan(1_500);
  expect(ctx.clearRect.mock.calls.length).toBeGreaterThan(290);
});

test('what is left of a signal that has gone is not drawn as high as the signal was', () => {
  const ring = new WaveRing(4_096), trace = new SweepTrace(ring, 'pleth');
  trace.lane = { top: 0, height: 100 };
  ring.push(message({ startMs: 1e12, raw: heartbeat(1_000, 4) }));
  trace.rescale(1e12 + 4_000, 4);
  const before = trace.scale!.pxPerUnit;
  ring.push(message({ startMs: 1e12 + 4_000, raw: Array.from({ length: 2_000 }, (_, i) => i % 2) }));
  trace.rescale(1e12 + 12_000, 4);
  expect(trace.scale!.pxPerUnit).toBeLessThan(before * 10);
});

test('a hole in the samples is a hole in the line', () => {
  const { drawn, sweep } = paper();
  const ring = new WaveRing(256);
  const trace = new SweepTrace(ring, 'ecg');
  trace.lane = { top: 0, height: 80 };
  Object.assign(sweep, { width: 200, height: 80, pxPerMs: 0.1, traces: [trace] });
  ring.push(message({ startMs: 1e12, raw: heartbeat(50, 4) }));
  ring.push(message({ startMs: 1e12 + 900, raw: heartbeat(50, 4) }));
  sweep.frame(1e12 + 1_100);
  expect(drawn.filter(([what]) => what === 'move').length).toBe(2);
});

test('channels: kinds, order, and the ECG that stands for the patient', () => {
  const list = [
    sampleChannel(1, { metric: 'MDC_PULS_OXIM_PLETH', label: 'Pleth' }), sampleChannel(2, { metric: 'MDC_ECG_ELEC_POTL_V5', label: 'ECG V5' }),
    sampleChannel(3), sampleChannel(4, { metric: 'MDC_PRESS_BLD_ART_ABP', label: 'ABP' }), sampleChannel(5, { metric: 'MDC_IMPED_TTHOR', label: 'Resp' }),
  ];
  expect(arrangeChannels(list).map((c) => c.series)).toEqual([3, 2, 4, 1, 5]);
  expect(list.map(kindOf)).toEqual(['pleth', 'ecg', 'ecg', 'abp', 'resp']);
  expect(leadEcg([list[1]!, { ...list[2]!, live: false }])?.series).toBe(2);
  expect(leadEcg([])).toBeUndefined();
});

test('a number that was one patient’s channel is never another’s', () => {
  const numbers = new ViewNumbers(), random = dice(8), seen = new Map<number, string>();
  for (let round = 0; round < 500; round++) {
    const patient = `p${Math.floor(random() * 20)}`, series = Math.floor(random() * 5), view = numbers.of(patient, series);
    expect(seen.get(view) ?? `${patient} ${series}`).toBe(`${patient} ${series}`);
    seen.set(view, `${patient} ${series}`);
  }
});

test('only a slow link is called so', () => {
  const said = { view: 1, state: 'live' as const, quality: 'good', index: 90, thinned: 4, why: null };
  expect([thinWords(said), thinWords(null), thinWords({ ...said, why: 'slow link' }), thinWords({ ...said, why: 'slow link', skipped_ms: 2_600 })]).toEqual(['', '', 'thinned: slow connection', 'thinned: slow connection, 3 s left out']);
});

test('words', () => {
  expect([reasonWord('lead-off'), reasonWord('good'), rhythmWord('atrial-fibrillation'), rhythmWeight('asystole'), rhythmWeight('regular')]).toEqual(['lead off', '', 'Atrial fibrillation', 2, 0]);
});

test('time to pixels and back; a ruler that measures 98 mm for 100 is corrected', () => {
  const axis = { fromMs: 1.79e12, pxPerMs: 0.0945 };
  for (const ms of [0, 1, 999, 86_400_000]) expect(msOf(axis, xOf(axis, 1.79e12 + ms))).toBeCloseTo(1.79e12 + ms, 2);
  expect(rulerFrom(100, 98, 1)).toBeCloseTo(1.0204, 4);
  expect([rulerFrom(100, 0, 1), rulerFrom(100, 1, 1)]).toEqual([1, 1]);
});
