// The model of the patient's waveform page: where we are in time, what is loaded, what is live.
import { createEffect, createMemo, createSignal, on, onCleanup } from 'solid-js';
import { api } from '../api/client';
import type { Alert, Hold, WaveChannel } from '../api/types';
import { currentPath, currentQuery, go } from '../app/router';
import { nowMs, serverNow } from '../live/clock';
import { onLiveEvent } from '../live/store';
import { arrangeChannels, kindOf } from '../waves/channels';
import { pxPerMm } from '../waves/paper';
import { startCalipers, type Calipers } from './calipers';
import { HEAD_ROWS, TIME_ROW } from './draw';
import { stripSource } from './source';
import { clampFrom, ECG_MM, extent, moved, OTHER_MM, rememberedSettings, rememberSettings, spanMs, timeParam, type StripSettings } from './strips.state';

const LIST_EVERY_MS = 20_000;

export type Strips = ReturnType<typeof useStrips>;

export function useStrips(patient: () => string) {
  const [list, setList] = createSignal<WaveChannel[] | null>(null);
  const [alerts, setAlerts] = createSignal<Alert[]>([]);
  const [holds, setHolds] = createSignal<Hold[]>([]);
  const [error, setError] = createSignal('');
  const [settings, setSettings] = createSignal<StripSettings>(rememberedSettings());
  /** Left edge of what is looked at; null: live. */
  const [from, setFrom] = createSignal<number | null>(null);
  const [width, setWidth] = createSignal(0);
  const [calipers, setCalipers] = createSignal<Calipers | null>(null);
  const [chosen, setChosen] = createSignal(0);
  const [loaded, setLoaded] = createSignal(0);
  const span = createMemo(() => spanMs(Math.max(1, width()), settings().speed, pxPerMm()));
  const channels = createMemo(() => arrangeChannels(list() ?? []));
  const shown = createMemo(() => channels().filter((c) => !settings().hidden.includes(c.series)));
  const heights = createMemo(() => shown().map((c) => (kindOf(c) === 'ecg' ? ECG_MM : OTHER_MM) * pxPerMm() * (kindOf(c) === 'ecg' ? Math.max(1, settings().gain / 10) : 1)));
  const height = createMemo(() => HEAD_ROWS + TIME_ROW + Math.max(60, heights().reduce((a, b) => a + b, 0)));
  const around = () => extent(channels(), serverNow());

  let source = stripSource(patient(), () => setLoaded((n) => n + 1));
  const load = async () => {
    const asked = patient();
    try {
      const { channels: next } = await api.waveforms(asked);
      if (asked === patient()) { setList(next); setError(''); }
    } catch (cause) {
      if (asked === patient()) setError((cause as Error).message);
    }
  };
  const loadAlerts = () => api.alerts({ patient: patient(), state: 'all', limit: 200 }).then((p) => setAlerts(p.alerts), () => undefined);
  const loadHolds = () => api.holds(patient()).then((h) => setHolds(h.holds), () => undefined);
  createEffect(on(patient, () => {
    source.close();
    source = stripSource(patient(), () => setLoaded((n) => n + 1));
    setList(null);
    setCalipers(null);
    void load();
    void loadAlerts();
    void loadHolds();
  }));
  const stop = onLiveEvent((event) => { if (event.type === 'alert' && event.patient?.id === patient()) void loadAlerts(); });
  const timer = window.setInterval(() => void load(), LIST_EVERY_MS);
  onCleanup(() => { stop(); clearInterval(timer); source.close(); });

  // An address with `at` (middle) opens there; without it, the page is live if anything is.
  const wanted = createMemo(() => timeParam(currentQuery().get('at')));
  createEffect(on([wanted, () => width() > 0 && list() !== null], ([at, ready]) => {
    if (ready && at !== null) setFrom(clampFrom(at - span() / 2, span(), around()));
    if (ready && at === null && from() === null && channels().length > 0 && !channels().some((c) => c.live)) setFrom(clampFrom(Infinity, span(), around()));
  }));

  /** Shows what begins at `ms`. */
  const look = (ms: number) => {
    setFrom(clampFrom(ms, span(), around()));
    note();
  };
  let noting = 0;
  // The address follows, so that it can be passed on; not at every step of a drag.
  const note = () => {
    clearTimeout(noting);
    noting = window.setTimeout(() => {
      const at = from();
      if (currentPath().endsWith('/waves')) go(at === null ? currentPath() : `${currentPath()}?at=${Math.round(at + span() / 2)}`, true);
    }, 400);
  };
  onCleanup(() => clearTimeout(noting));
  /** The head of the sweep at which the picture is stopped; the sweep sets it. */
  let head = () => serverNow() - 1_000;
  const freeze = () => { if (from() === null) look(head() - span()); };
  const follow = () => { setFrom(null); setCalipers(null); note(); };
  const move = (key: string, shift: boolean): boolean => {
    const at = from() ?? head() - span();
    const to = moved(key, shift, at, span(), around());
    if (to !== null) look(to);
    return to !== null;
  };
  const marks = () => { const at = from(); loaded(); return at === null ? { beats: [], rhythms: [], quality: [] } : source.marks(at - 2_000, at + span() + 2_000); };
  const toggleCalipers = () => {
    if (calipers()) return setCalipers(null);
    freeze();
    const at = from()!;
    setCalipers(startCalipers(at, at + span(), marks().beats));
  };
  return {
    channels, shown, heights, height, alerts, holds, loadHolds, error, settings, from, span, width, setWidth, calipers, setCalipers, chosen, setChosen, loaded, marks, look, freeze, follow, move, toggleCalipers,
    /** Whether there is a list of channels yet. */
    known: () => list() !== null,
    live: () => from() === null,
    extent: () => { nowMs(); return around(); },
    source: () => source,
    sweepsWith: (f: () => number) => { head = f; },
    change: (patch: Partial<StripSettings>) => {
      const middle = from() === null ? null : from()! + span() / 2;
      setSettings({ ...settings(), ...patch });
      rememberSettings(settings());
      if (middle !== null) look(middle - span() / 2);
    },
    reload: load,
  };
}
