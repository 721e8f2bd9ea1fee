// Where strips get their data: samples and beats of one patient, in pieces.
import { api } from '../api/client';
import type { BeatPage, QualitySpan, RhythmSpan } from '../api/types';
import { serverNow } from '../live/clock';
import { decodeStream } from '../waves/wire';
import { PieceCache } from './cache';
import { endOf, toStretch, type Stretch } from './stretches';

const SAMPLES_MS = 20_000, BEATS_MS = 60_000;
/** Enough columns that the server sends samples, not pairs, up to 1,600 a second. */
const ALL_SAMPLES = 8_000;

/** Joins stretches that were cut only because pieces were loaded one by one. */
export function join(pieces: Stretch[][]): Stretch[] {
  const out: Stretch[] = [];
  for (const s of pieces.flat()) {
    const last = out[out.length - 1];
    if (last && s.startMs < endOf(last) - last.stepMs / 2) continue;
    out.push(s);
  }
  return out;
}

/** Puts the marks of several pieces together; spans that were cut at a piece's end are one again. */
export function joinMarks(pages: BeatPage[]): BeatPage {
  const rhythms: RhythmSpan[] = [], quality: QualitySpan[] = [];
  const beats = new Map<number, [number, string]>();
  for (const page of pages) {
    for (const b of page.beats) beats.set(b[0], b);
    for (const r of page.rhythms) {
      const last = rhythms[rhythms.length - 1];
      if (last && last.rhythm === r.rhythm && r.from_ms <= last.to_ms + 1) last.to_ms = Math.max(last.to_ms, r.to_ms);
      else rhythms.push({ ...r });
    }
    for (const q of page.quality) {
      const last = [...quality].reverse().find((x) => x.series === q.series);
      if (last && last.reason === q.reason && q.from_ms <= last.to_ms + 1) last.to_ms = Math.max(last.to_ms, q.to_ms);
      else quality.push({ ...q });
    }
  }
  return { beats: [...beats.values()].sort((a, b) => a[0] - b[0]), rhythms, quality };
}

export interface StripSource {
  /** What is known of a channel within the interval. */
  samples: (series: number, fromMs: number, toMs: number) => Stretch[];
  /** Whether the interval of the channel has been answered. */
  known: (series: number, fromMs: number, toMs: number) => boolean;
  marks: (fromMs: number, toMs: number) => BeatPage;
  /** Why the last request failed. */
  failure: () => string;
  close: () => void;
}

/** `onChange` is called when something has come. */
export function stripSource(patient: string, onChange: () => void): StripSource {
  const channels = new Map<number, PieceCache<Stretch[]>>();
  const channel = (series: number) => {
    let cache = channels.get(series);
    if (!cache) {
      cache = new PieceCache({
        pieceMs: SAMPLES_MS, keep: 60, now: serverNow, onChange,
        load: (from, to, signal) => api.waves(patient, series, from, to, ALL_SAMPLES, signal).then((b) => decodeStream(b).messages.map(toStretch)),
      });
      channels.set(series, cache);
    }
    return cache;
  };
  const marks = new PieceCache({ pieceMs: BEATS_MS, keep: 150, now: serverNow, onChange, load: (from, to, signal) => api.beats(patient, from, to, signal) });
  return {
    samples: (series, from, to) => join(channel(series).within(from, to)),
    known: (series, from, to) => channel(series).known(from, to),
    marks: (from, to) => joinMarks(marks.within(from, to)),
    failure: () => [...channels.values()].find((c) => c.failure)?.failure ?? marks.failure,
    close: () => { channels.forEach((c) => c.close()); marks.close(); },
  };
}
