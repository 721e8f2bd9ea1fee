// The state of the patient's waveform page: where in time, how fast, how high, which channels. No markup here.
import type { WaveChannel } from '../api/types';

export const SPEEDS = [12.5, 25, 50] as const;
export const GAINS = [5, 10, 20] as const;
/** Heights of lanes in millimetres: an ECG at 10 mm/mV shows 3 mV. */
export const ECG_MM = 30, OTHER_MM = 18;

export interface StripSettings { speed: number; gain: number; hidden: number[] }
const KEY = 'vw-strips';
const one = (list: readonly number[], value: unknown, otherwise: number): number => (list.includes(value as number) ? (value as number) : otherwise);

export function readSettings(text: string | null): StripSettings {
  let kept: Partial<StripSettings> = {};
  try { kept = (JSON.parse(text ?? '{}') as Partial<StripSettings> | null) ?? {}; } catch { /* not ours */ }
  return { speed: one(SPEEDS, kept.speed, 25), gain: one(GAINS, kept.gain, 10), hidden: [] };
}
export const rememberedSettings = (): StripSettings => readSettings(localStorage.getItem(KEY));
export const rememberSettings = (s: StripSettings): void => localStorage.setItem(KEY, JSON.stringify({ speed: s.speed, gain: s.gain }));

/** Milliseconds that `width` px show. */
export const spanMs = (width: number, speed: number, mm: number): number => (width / (speed * mm)) * 1_000;

/** The first and last time of which there is anything; `now` for a channel that is live. */
export function extent(channels: WaveChannel[], now: number): [number, number] {
  if (!channels.length) return [now - 60_000, now];
  return [Math.min(...channels.map((c) => c.first_ms)), Math.max(...channels.map((c) => (c.live ? now : c.last_ms)))];
}

/** The left edge nearest to `from` such that the window of `span` shows something of `extent`. */
export function clampFrom(from: number, span: number, [first, last]: [number, number]): number {
  return Math.min(Math.max(from, first - span * 0.1), Math.max(first - span * 0.1, last - span * 0.9));
}

/** Where a key leads the window from `from`; null when the key is not for moving. */
export function moved(key: string, shift: boolean, from: number, span: number, [first, last]: [number, number]): number | null {
  const by = { ArrowLeft: shift ? -10_000 : -1_000, ArrowRight: shift ? 10_000 : 1_000, PageUp: -span * 0.9, PageDown: span * 0.9 }[key];
  if (by !== undefined) return clampFrom(from + by, span, [first, last]);
  if (key === 'Home') return clampFrom(first, span, [first, last]);
  if (key === 'End') return clampFrom(last - span, span, [first, last]);
  return null;
}

export const RANGES: [number, string][] = [[600_000, '10 min'], [3_600_000, '1 h'], [6 * 3_600_000, '6 h'], [24 * 3_600_000, '24 h']];
/** The shortest overview that shows all there is; the longest when nothing does. */
export function rangeFor(first: number, now: number): number {
  return RANGES.find(([ms]) => now - first <= ms)?.[0] ?? RANGES[RANGES.length - 1]![0];
}

/** Columns of an overview: one a pixel, but none shorter than a beat, so that the height means something. */
export const overviewColumns = (width: number, rangeMs: number): number => Math.max(1, Math.min(Math.round(width), Math.round(rangeMs / 1_500)));

/** A number from an address; null when it is none. */
export const timeParam = (text: string | null): number | null => (text !== null && /^\d{12,14}$/.test(text) ? Number(text) : null);

/** `beats: 12 normal, 1 ventricular` for a screen reader. */
export function beatSummary(beats: [number, string][], word: (letter: string) => string): string {
  const counts = new Map<string, number>();
  for (const [, letter] of beats) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  return counts.size ? `beats: ${[...counts].map(([l, n]) => `${n} ${word(l)}`).join(', ')}` : 'no beats found';
}

export interface ExportSpan { from: number; to: number; word: string }
/** What can be exported around the strip `from`..`to`, within what there is. Whole milliseconds. */
export function exportSpans(from: number, to: number, first: number, last: number): ExportSpan[] {
  const middle = (from + to) / 2;
  const around = (ms: number, word: string): ExportSpan => ({ from: Math.round(Math.max(first, middle - ms / 2)), to: Math.round(Math.min(last, middle + ms / 2)), word });
  return [
    { from: Math.round(from), to: Math.round(to), word: `The strip on the screen, ${Math.round((to - from) / 1_000)} s` },
    ...[around(300_000, 'Five minutes around it'), around(3_600_000, 'An hour around it'), around(86_400_000, 'A day around it')].filter((s, i, all) => s.to > s.from && (i === 0 || s.to - s.from > all[i - 1]!.to - all[i - 1]!.from)),
  ];
}

/** Most samples in a file of a format; more the server refuses. */
const MOST_SAMPLES: Record<string, number> = { csv: 3_000_000, fhir: 3_000_000 };
/** Whether an interval of all `channels` is too long for a file of `format`. */
export function tooLong(span: ExportSpan, channels: Pick<WaveChannel, 'rate'>[], format: string): boolean {
  const perS = channels.reduce((sum, c) => sum + (c.rate[0] ?? 0) / (c.rate[1] || 1), 0);
  return ((span.to - span.from) / 1_000) * perS > (MOST_SAMPLES[format] ?? 30_000_000);
}
