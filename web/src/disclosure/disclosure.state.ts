// An hour on one screen: rows of time, events, and which class a column of a row belongs to. No markup here.
import type { Alert, RhythmSpan } from '../api/types';
import { rhythmWeight } from '../waves/channels';

export const HOUR_MS = 3_600_000;
export const LAYOUTS = [60, 120] as const;

/** The beginning of the hour that `ms` lies in, in local time: half-hour time zones have their own hours. */
export function hourOf(ms: number): number {
  const d = new Date(ms);
  d.setMinutes(0, 0, 0);
  return d.getTime();
}

/** Row and place (0 to 1) in it of a time; null outside the hour. */
export function placeOf(ms: number, hour: number, rows: number): { row: number; part: number } | null {
  const at = ((ms - hour) / HOUR_MS) * rows;
  return at < 0 || at >= rows ? null : { row: Math.floor(at), part: at - Math.floor(at) };
}
/** The time at a place of a row. */
export const timeAt = (row: number, part: number, hour: number, rows: number): number => hour + ((row + part) / rows) * HOUR_MS;

export interface Event { ms: number; toMs: number | null; kind: 'alert' | 'rhythm'; word: string; priority: string }

/** What happened in the hour, in order: alerts, and rhythms other than regular ones. */
export function eventsOf(alerts: Alert[], rhythms: RhythmSpan[], hour: number, word: (rhythm: string) => string): Event[] {
  const end = hour + HOUR_MS;
  return [
    ...alerts.filter((a) => a.raised_ms >= hour && a.raised_ms < end).map((a): Event => ({ ms: a.raised_ms, toMs: a.resolved_ms ?? null, kind: 'alert', word: a.title, priority: a.priority })),
    ...rhythms.filter((r) => r.to_ms > hour && r.from_ms < end && rhythmWeight(r.rhythm) > 0)
      .map((r): Event => ({ ms: Math.max(hour, r.from_ms), toMs: r.to_ms, kind: 'rhythm', word: word(r.rhythm), priority: rhythmWeight(r.rhythm) > 1 ? 'high' : 'medium' })),
  ].sort((a, b) => a.ms - b.ms);
}

/** `4,812 beats: 4,790 normal, 22 ventricular` */
export function countBeats(beats: [number, string][], hour: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [t, letter] of beats) if (t >= hour && t < hour + HOUR_MS) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  return counts;
}

/** The hour to open from an address: what it says, else the present one. */
export const openHour = (text: string | null, now: number): number => hourOf(text !== null && /^\d{12,14}$/.test(text) ? Number(text) : now);
