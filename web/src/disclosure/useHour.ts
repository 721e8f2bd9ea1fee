// Loads an hour of one ECG with its beats, in pieces, and keeps the present hour up to date.
import { createEffect, createSignal, on, onCleanup } from 'solid-js';
import { api } from '../api/client';
import type { Alert, BeatPage, WaveChannel } from '../api/types';
import { serverNow } from '../live/clock';
import { PieceCache } from '../strips/cache';
import { join, joinMarks } from '../strips/source';
import { toStretch, type Stretch } from '../strips/stretches';
import { arrangeChannels, leadEcg } from '../waves/channels';
import { decodeStream } from '../waves/wire';
import { HOUR_MS } from './disclosure.state';

const PIECE_MS = 300_000, FOLLOW_MS = 5_000;
/** Columns a second: the most that the server gives of a piece, and more than a screen shows of an hour. */
const COLUMNS_PER_S = 26;

export function useHour(patient: () => string, hour: () => number, wanted: () => number) {
  const [channels, setChannels] = createSignal<WaveChannel[] | null>(null);
  const [alerts, setAlerts] = createSignal<Alert[]>([]);
  const [error, setError] = createSignal('');
  const [changes, setChanges] = createSignal(0);
  const changed = () => setChanges((n) => n + 1);
  const lead = () => (channels() ?? []).find((c) => c.series === wanted()) ?? leadEcg(channels() ?? []);
  let samples: PieceCache<Stretch[]> | null = null, marks: PieceCache<BeatPage> | null = null;

  createEffect(on(patient, (p) => {
    setChannels(null);
    api.waveforms(p).then((l) => { if (p === patient()) setChannels(arrangeChannels(l.channels)); }, (cause: unknown) => setError((cause as Error).message));
    void api.alerts({ patient: p, state: 'all', limit: 500 }).then((page) => setAlerts(page.alerts), () => undefined);
    marks?.close();
    marks = new PieceCache({ pieceMs: PIECE_MS, keep: 60, now: serverNow, onChange: changed, load: (from, to, signal) => api.beats(p, from, to, signal) });
  }));
  createEffect(on(() => [patient(), lead()?.series] as const, ([p, series]) => {
    samples?.close();
    samples = series === undefined ? null : new PieceCache({
      pieceMs: PIECE_MS, keep: 40, now: serverNow, onChange: changed,
      load: (from, to, signal) => api.waves(p, series, from, to, (PIECE_MS / 1_000) * COLUMNS_PER_S, signal).then((b) => decodeStream(b).messages.map(toStretch)),
    });
    changed();
  }));
  const timer = window.setInterval(() => { if (hour() + HOUR_MS > serverNow() - 60_000) changed(); }, FOLLOW_MS);
  onCleanup(() => { clearInterval(timer); samples?.close(); marks?.close(); });
  return {
    channels, lead, alerts, error,
    stretches: (): Stretch[] => { changes(); return samples ? join(samples.within(hour(), hour() + HOUR_MS)) : []; },
    marks: (): BeatPage => { changes(); return marks ? joinMarks(marks.within(hour(), hour() + HOUR_MS)) : { beats: [], rhythms: [], quality: [] }; },
    known: () => { changes(); return !!samples?.known(hour(), Math.min(hour() + HOUR_MS, serverNow())); },
    failure: () => { changes(); return samples?.failure || marks?.failure || ''; },
  };
}
