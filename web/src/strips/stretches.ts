// Samples of the past for drawing: stretches as they come from the server, put together where they touch, and what lies between them.
import type { WaveMessage } from '../waves/wire';
import { physical } from '../waves/wire';

/** An unbroken stretch of one channel in physical units; NaN is a sample that was not measured. */
export interface Stretch { startMs: number; stepMs: number; pairs: boolean; values: Float32Array }
export interface Gap { fromMs: number; toMs: number }

export function toStretch(m: WaveMessage): Stretch {
  const values = new Float32Array(m.raw.length);
  for (let i = 0; i < values.length; i++) values[i] = physical(m, m.raw[i]!);
  return { startMs: m.startMs, stepMs: m.stepMs, pairs: m.pairs, values };
}

export const countOf = (s: Stretch): number => (s.pairs ? s.values.length / 2 : s.values.length);
/** When the sample after the last would come. */
export const endOf = (s: Stretch): number => s.startMs + countOf(s) * s.stepMs;

/** Whether `s` goes on where `before` ends: they were cut only because they were loaded one by one. */
export const follows = (before: Stretch | undefined, s: Stretch): boolean => !!before && before.pairs === s.pairs && Math.abs(s.startMs - endOf(before)) < 0.6 * s.stepMs;

/** What lies between the stretches (in time order) within `fromMs`..`toMs`, longer than a sample and a half. */
export function gapsOf(stretches: Stretch[], fromMs: number, toMs: number): Gap[] {
  const gaps: Gap[] = [];
  let at = fromMs;
  for (const s of stretches) {
    if (s.startMs - at > 1.6 * s.stepMs && s.startMs > fromMs) gaps.push({ fromMs: at, toMs: Math.min(toMs, s.startMs) });
    at = Math.max(at, endOf(s));
    if (at >= toMs) return gaps;
  }
  if (toMs - at > 40) gaps.push({ fromMs: at, toMs });
  return gaps;
}

/** Stretches of samples that were never measured (a lead off) within a stretch count as gaps, too, when they last. */
export const LEAST_HOLE_MS = 100;

/** The value at `ms`, between two samples on the line through them; NaN where nothing was measured. */
export function valueAt(stretches: Stretch[], ms: number): number {
  for (const s of stretches) {
    if (s.pairs || ms < s.startMs || ms > endOf(s) - s.stepMs) continue;
    const at = (ms - s.startMs) / s.stepMs, i = Math.floor(at), part = at - i;
    const a = s.values[i]!, b = s.values[Math.min(i + 1, s.values.length - 1)]!;
    return part === 0 ? a : a + (b - a) * part;
  }
  return NaN;
}

/** Copies what was measured within `fromMs`..`toMs` into `into`; returns how many numbers. */
export function copyWithin(stretches: Stretch[], fromMs: number, toMs: number, into: Float32Array): number {
  let n = 0;
  for (const s of stretches) {
    const per = s.pairs ? 2 : 1;
    const first = Math.max(0, Math.ceil((fromMs - s.startMs) / s.stepMs)) * per, last = Math.min(countOf(s), Math.floor((toMs - s.startMs) / s.stepMs) + 1) * per;
    for (let i = first; i < last && n < into.length; i++) {
      const v = s.values[i]!;
      if (v === v) into[n++] = v;
    }
  }
  return n;
}

/** Lowest and highest at each of `columns` columns of `fromMs`..`toMs`: two numbers a column, NaN where there is nothing. */
export function columnsOf(stretches: Stretch[], fromMs: number, toMs: number, columns: number): Float32Array {
  const out = new Float32Array(2 * columns).fill(NaN);
  const perMs = columns / (toMs - fromMs);
  for (const s of stretches) {
    const per = s.pairs ? 2 : 1, count = countOf(s);
    for (let i = Math.max(0, Math.floor((fromMs - s.startMs) / s.stepMs)); i < count; i++) {
      const at = Math.floor((s.startMs + i * s.stepMs - fromMs) * perMs);
      if (at < 0) continue;
      if (at >= columns) break;
      const low = s.values[per * i]!, high = s.values[per * i + per - 1]!;
      if (!(out[2 * at]! <= low)) out[2 * at] = low === low ? low : out[2 * at]!;
      if (!(out[2 * at + 1]! >= high)) out[2 * at + 1] = high === high ? high : out[2 * at + 1]!;
    }
  }
  return out;
}
