// Monitors that send waveforms, played by the test: native frames (docs/interfaces/mqtt-native.md) of an ECG, pleth, arterial pressure
// and respiration that beat together. Every sample follows from the time alone, so what a page shows can be known.
import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import { until } from './scenario.mjs';

const CRC = crc32 ?? ((bytes) => { let c = ~0; for (const b of bytes) { c ^= b; for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1; } return ~c >>> 0; });
/** Metric code, rate, scale, and the value at a time of a heart that beats each `rr` ms. */
export const CHANNELS = {
  ecg: { metric: 131_330, rate: [250, 1], scale: 0.005, value: ecg },
  pleth: { metric: 150_452, rate: [125, 1], scale: 0.001, value: (t, rr) => 0.2 + pulse(t - 200, rr) },
  abp: { metric: 150_036, rate: [125, 1], scale: 0.1, value: (t, rr) => 78 + 44 * pulse(t - 180, rr) },
  resp: { metric: 151_780, rate: [125, 2], scale: 0.001, value: (t) => Math.sin((t / 3_750) * 2 * Math.PI) },
};

const hump = (x, at, width, high) => high * Math.exp(-0.5 * ((x - at) / width) ** 2);
function ecg(t, rr) {
  const x = t % rr;
  return hump(x, 160, 22, 0.14) + hump(x, 296, 8, -0.1) + hump(x, 320, 9, 1.1) + hump(x, 344, 9, -0.22) + hump(x, 550, 42, 0.28) + 0.01 * Math.sin(t * 1.7);
}
const pulse = (t, rr) => { const x = ((t % rr) + rr) % rr; return hump(x, 420, 60, 1) + hump(x, 620, 70, 0.32) + hump(x, 420 - rr, 60, 1) + hump(x, 420 + rr, 60, 1); };

/** A frame of `channels` (`[{ metric, rate, scale, samples }]`; null is missing) that begins at `startUs`. */
export function frame(sequence, startUs, channels) {
  const parts = [Buffer.alloc(20)];
  parts[0].write('VWWF');
  parts[0].writeUInt8(1, 4);
  parts[0].writeUInt8(2, 5);
  parts[0].writeUInt16LE(channels.length, 6);
  parts[0].writeUInt32LE(sequence >>> 0, 8);
  parts[0].writeBigInt64LE(BigInt(Math.round(startUs)), 12);
  for (const c of channels) {
    const head = Buffer.alloc(52), data = Buffer.alloc(2 * c.samples.length);
    [c.metric, 0, 0, c.rate[0], c.rate[1]].forEach((n, i) => head.writeUInt32LE(n, 4 * i));
    head.writeDoubleLE(c.scale, 28);
    head.writeUInt32LE(c.samples.length, 44);
    head.writeUInt32LE(data.length, 48);
    c.samples.forEach((v, i) => data.writeInt16LE(v === null ? -32_768 : Math.round(v / c.scale), 2 * i));
    parts.push(head, data);
  }
  const body = Buffer.concat(parts), end = Buffer.alloc(4);
  end.writeUInt32LE(CRC(body));
  return Buffer.concat([body, end]);
}

/** Samples of `names` within `fromMs`..`toMs`; `off` names channels whose electrode is off. */
export function samples(names, fromMs, toMs, rr, off = []) {
  return names.map((name) => {
    const { metric, rate, scale, value } = CHANNELS[name];
    const step = (1_000 * rate[1]) / rate[0], count = Math.round((toMs - fromMs) / step);
    return { metric, rate, scale, samples: Array.from({ length: count }, (_, i) => (off.includes(name) ? null : value(fromMs + i * step, rr))) };
  });
}

/** Frames are this long. 62.5 Hz has whole samples in it. */
const FRAME_MS = 480;

/**
 * Puts `device` on a new patient called `name` and lets it send waveforms: `{ patient, rest(), go(), electrode(off), stop() }`.
 */
export async function playWaves(server, device, name, { channels = ['ecg', 'pleth', 'abp', 'resp'], rr = 800 } = {}) {
  const topic = `vitalwire/${device}/waveform`;
  let sequence = 0, at = Math.floor(Date.now() / FRAME_MS) * FRAME_MS, resting = false, off = [];
  const send = () => {
    const waiting = [];
    for (; at + FRAME_MS <= Date.now(); at += FRAME_MS) if (!resting) waiting.push(server.publish(topic, frame(sequence++, at * 1_000, samples(channels, at, at + FRAME_MS, rr, off))));
    return Promise.all(waiting);
  };
  await server.publish(`vitalwire/${device}/measurements`, JSON.stringify([{ n: 'MDC_ECG_HEART_RATE', v: Math.round(60_000 / rr) }, { n: 'MDC_PULS_OXIM_SAT_O2', v: 97 }]));
  const body = JSON.stringify([{ device, identifier: `urn:e2e|${device}`, name, birth_date: '1950-01-01', sex: 'female' }]);
  const answer = await fetch(`${server.url}/api/v1/associations`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  assert.ok(answer.ok, await answer.text());
  const timer = setInterval(() => void send().catch(() => undefined), 120);
  return {
    rest: () => { resting = true; },
    go: () => { resting = false; },
    electrode: (isOff) => { off = isOff ? ['ecg'] : []; },
    stop: () => clearInterval(timer),
  };
}

/** Waits until `seconds` of the patient called `name` are kept; returns the patient's id. */
export async function kept(server, name, seconds) {
  const get = async (path) => (await fetch(`${server.url}/api/v1${path}`)).json();
  const ward = await until(() => get('/ward'), (w) => w.tiles.some((t) => t.waves && t.patient.name === name));
  const { id } = ward.tiles.find((t) => t.patient.name === name).patient;
  await until(() => get(`/patients/${id}/waveforms`), (l) => l.channels.length && l.channels.every((c) => c.last_ms - c.first_ms > seconds * 1_000), 60 + 2 * seconds);
  return id;
}
