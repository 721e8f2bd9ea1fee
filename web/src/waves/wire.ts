// Wave messages as they come over the WebSocket and from `/waveforms/{series}` (docs/interfaces/waveforms.md): bytes in, samples out.
// Nothing here knows of sockets, canvases or clocks.

/** A sample that the device did not measure. */
export const MISSING = -32_768;
export const HEADER_BYTES = 36;
const SAMPLES = 1, PAIRS = 2, THINNED = 1;

/** An unbroken stretch of one channel. `value = raw × scale + offset`. */
export interface WaveMessage {
  /** Whether `raw` holds pairs (lowest, highest) instead of samples. */
  pairs: boolean;
  /** The server left samples out because this viewer's link is slow. */
  thinned: boolean;
  /** The viewer's own number of the channel; in REST the series. */
  view: number;
  /** Time of the first sample, milliseconds since 1970. */
  startMs: number;
  /** Milliseconds from one sample (or pair) to the next. */
  stepMs: number;
  scale: number;
  offset: number;
  /** Samples, or pairs. */
  count: number;
  raw: Int16Array;
}

/** Reads the message of `length` bytes at `at`; null when it is none that we understand. */
export function decodeWave(buffer: ArrayBuffer, at = 0, length = buffer.byteLength - at): WaveMessage | null {
  if (length < HEADER_BYTES || at + length > buffer.byteLength) return null;
  const v = new DataView(buffer, at, length);
  const kind = v.getUint8(1), count = v.getUint32(32, true), numerator = v.getUint32(16, true), denominator = v.getUint32(20, true);
  const numbers = kind === PAIRS ? 2 * count : count;
  if (v.getUint8(0) !== 1 || (kind !== SAMPLES && kind !== PAIRS) || !numerator || !denominator || HEADER_BYTES + 2 * numbers !== length) return null;
  const startMs = v.getFloat64(8, true);
  if (!Number.isFinite(startMs)) return null;
  const body = at + HEADER_BYTES;
  return {
    pairs: kind === PAIRS, thinned: (v.getUint16(2, true) & THINNED) !== 0, view: v.getUint32(4, true), startMs, stepMs: (1_000 * denominator) / numerator,
    scale: v.getFloat32(24, true), offset: v.getFloat32(28, true), count, raw: body % 2 ? new Int16Array(buffer.slice(body, body + 2 * numbers)) : new Int16Array(buffer, body, numbers),
  };
}

/** The messages of a REST answer, each after its length as u32. What is cut off or not understood is left out and counted. */
export function decodeStream(buffer: ArrayBuffer): { messages: WaveMessage[]; broken: number } {
  const v = new DataView(buffer);
  const messages: WaveMessage[] = [];
  let broken = 0;
  for (let at = 0; at < buffer.byteLength;) {
    const length = at + 4 <= buffer.byteLength ? v.getUint32(at, true) : -1;
    if (length < 0 || at + 4 + length > buffer.byteLength) return { messages, broken: broken + 1 };
    const message = decodeWave(buffer, at + 4, length);
    if (message) messages.push(message);
    else broken++;
    at += 4 + length;
  }
  return { messages, broken };
}

/** Physical value of `raw`; NaN where nothing was measured. */
export const physical = (m: Pick<WaveMessage, 'scale' | 'offset'>, raw: number): number => (raw === MISSING ? NaN : raw * m.scale + m.offset);

/** What the server says in text between the samples. */
export type WaveText =
  | { type: 'time'; now_ms: number }
  | ({ type: 'channel' } & ChannelState)
  | { type: 'beats'; patient: string; beats: [number, string][] }
  | { type: 'rhythm'; patient: string; rhythm: string; since_ms: number }
  | { type: 'error'; message: string };

export interface ChannelState {
  view: number;
  state: 'live' | 'silent' | 'gone';
  /** `good`, or the reason why not. */
  quality: string;
  /** 0 to 100. */
  index: number;
  /** So many samples are sent as one pair of lowest and highest. */
  thinned: number;
  /** `slow link` when that is because this viewer's link is slow; null when the picture has no more columns. */
  why: string | null;
  /** What was left out altogether for a slow link, milliseconds. */
  skipped_ms?: number;
  /** Played back from a recording, not live. */
  recorded?: boolean;
}

/** One channel to be sent: the number that the viewer chose for it, and what it is. */
export interface Watched { view: number; patient: string; series: number }

/** What a slow link does to a channel, in words; empty when it does nothing. */
export function thinWords(said: ChannelState | null | undefined): string {
  if (!said?.why) return '';
  const left = Math.round((said.skipped_ms ?? 0) / 1_000);
  return `thinned: slow connection${left > 0 ? `, ${left} s left out` : ''}`;
}

/**
 * Numbers for channels, each given once and never to another: a message that was on its way while the beds on the page changed can
 * not be drawn at the wrong patient.
 */
export class ViewNumbers {
  private readonly numbers = new Map<string, number>();

  of(patient: string, series: number): number {
    const key = `${patient} ${series}`;
    const known = this.numbers.get(key) ?? this.numbers.size + 1;
    this.numbers.set(key, known);
    return known;
  }
}
