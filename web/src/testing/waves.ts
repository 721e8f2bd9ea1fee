// Wave messages and channels for tests: the encoder that the product does not need, and a made-up heartbeat.
import type { WaveChannel } from '../api/types';
import { HEADER_BYTES } from '../waves/wire';

export interface Sample { view?: number; startMs?: number; rate?: [number, number]; scale?: number; offset?: number; raw: number[]; pairs?: boolean; thinned?: boolean }

/** A wave message as the server writes it. */
export function encodeWave({ view = 1, startMs = 0, rate = [250, 1], scale = 1, offset = 0, raw, pairs = false, thinned = false }: Sample): ArrayBuffer {
  const buffer = new ArrayBuffer(HEADER_BYTES + 2 * raw.length);
  const v = new DataView(buffer);
  v.setUint8(0, 1);
  v.setUint8(1, pairs ? 2 : 1);
  v.setUint16(2, thinned ? 1 : 0, true);
  v.setUint32(4, view, true);
  v.setFloat64(8, startMs, true);
  v.setUint32(16, rate[0], true);
  v.setUint32(20, rate[1], true);
  v.setFloat32(24, scale, true);
  v.setFloat32(28, offset, true);
  v.setUint32(32, pairs ? raw.length / 2 : raw.length, true);
  raw.forEach((r, i) => v.setInt16(HEADER_BYTES + 2 * i, r, true));
  return buffer;
}

/** Messages as a REST answer carries them. */
export function encodeStream(list: ArrayBuffer[]): ArrayBuffer {
  const out = new Uint8Array(list.reduce((sum, b) => sum + 4 + b.byteLength, 0));
  let at = 0;
  for (const b of list) {
    new DataView(out.buffer).setUint32(at, b.byteLength, true);
    out.set(new Uint8Array(b), at + 4);
    at += 4 + b.byteLength;
  }
  return out.buffer;
}

/** Numbers that look random and are the same each time: for tests of properties. */
export function dice(seed: number): () => number {
  let s = seed >>> 0 || 1;
  return () => {
    s ^= s << 13; s >>>= 0;
    s ^= s >>> 17;
    s ^= s << 5; s >>>= 0;
    return s / 2 ** 32;
  };
}

/** Raw samples of a heartbeat each `beatMs`, 200 a millivolt. */
export const heartbeat = (count: number, stepMs: number, beatMs = 800): number[] => Array.from({ length: count }, (_, i) => {
  const x = (i * stepMs) % beatMs;
  return Math.round(200 * (Math.exp(-(((x - 200) / 10) ** 2)) + 0.2 * Math.exp(-(((x - 430) / 50) ** 2))));
});

export const sampleChannel = (series: number, over: Partial<WaveChannel> = {}): WaveChannel => ({
  series, device: 'd1', metric: 'MDC_ECG_ELEC_POTL_II', label: 'ECG II', unit: 'mV', rate: [250, 1], first_ms: 0, last_ms: 1_000, live: true, recorded: false,
  quality: 'good', quality_index: 98, drift_ppm: null, counted: {}, ...over,
});
