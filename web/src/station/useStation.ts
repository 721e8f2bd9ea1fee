// Brings beds, link and animation together: one WebSocket and one animation frame for the whole page.
import { createEffect, createMemo, createSignal, on, onCleanup, untrack } from 'solid-js';
import { api } from '../api/client';
import type { WaveChannel } from '../api/types';
import { serverNow } from '../live/clock';
import { ward } from '../live/store';
import { openLink } from '../waves/link';
import { ViewNumbers, type Watched } from '../waves/wire';
import { Bed } from './bed';
import { pickTwo, type Choice } from './station.state';

/** A patient’s list of channels is asked for again this often, and when a channel goes. */
const LIST_EVERY_MS = 30_000;

export interface Station {
  bed: (patient: string) => Bed;
  /** Whether the waveforms are live (TI-1). */
  live: () => boolean;
  /** Whether it is known which channels a patient has, if any. */
  known: (patient: string) => boolean;
}

/** `patients`: whose beds are on the page now. `lanes`: what each bed’s two lanes show. */
export function useStation(patients: () => string[], lanes: () => [Choice, Choice]): Station {
  const beds = new Map<string, Bed>();
  const lists = new Map<string, WaveChannel[]>();
  const [listed, setListed] = createSignal(0);
  const [live, setLive] = createSignal(false);
  const numbers = new ViewNumbers();
  /** Where the channels on the page are drawn. */
  const places = new Map<number, { bed: Bed; lane: number }>();
  let shown: Bed[] = [];
  const bed = (patient: string): Bed => {
    let b = beds.get(patient);
    if (!b) beds.set(patient, (b = new Bed(patient)));
    return b;
  };

  const link = openLink({
    onLive: setLive,
    onWave: (m) => { const at = places.get(m.view); at?.bed.take(at.lane, m, serverNow()); },
    onText: (m) => {
      if (m.type === 'channel') {
        const at = places.get(m.view);
        at?.bed.hear(m, at.lane);
        if (m.state === 'gone') void refresh();
      } else if (m.type === 'rhythm') beds.get(m.patient)?.rhythm(m.rhythm, m.since_ms);
    },
  });

  // Who has none is not asked for: each question is an access that is kept on record.
  const withWaves = createMemo(() => patients().filter((p) => ward.tiles[p]?.waves), [], { equals: (a, b) => a.join() === b.join() });
  const load = async (patient: string) => {
    const { channels } = await api.waveforms(patient).catch(() => ({ channels: lists.get(patient) ?? [] }));
    lists.set(patient, channels);
  };
  let asking: Promise<void> | null = null;
  const refresh = (): Promise<void> => (asking ??= Promise.all(withWaves().map(load)).then(() => {
    asking = null;
    setListed((n) => n + 1);
  }));

  const arrange = () => {
    shown = patients().map(bed);
    const watched: Watched[] = [];
    places.clear();
    shown.forEach((b) => {
      const list = lists.get(b.patient) ?? [];
      const two = list.length ? pickTwo(list, ...lanes()) : [];
      b.show(two);
      two.forEach((c, lane) => {
        if (!c) return;
        const view = numbers.of(b.patient, c.series);
        places.set(view, { bed: b, lane });
        watched.push({ view, patient: b.patient, series: c.series });
      });
    });
    link.watch(watched, Math.max(50, ...shown.map((b) => b.columnsPerS)));
  };
  createEffect(on(withWaves, (now) => {
    for (const patient of [...beds.keys()]) if (!patients().includes(patient)) beds.delete(patient);
    const missing = now.filter((p) => !lists.has(p));
    if (missing.length) void Promise.all(missing.map(load)).then(() => setListed((n) => n + 1));
  }));
  createEffect(on([patients, lanes, listed], () => untrack(arrange)));

  let frame = 0;
  const draw = () => {
    const now = serverNow();
    for (const b of shown) b.frame(now);
    frame = requestAnimationFrame(draw);
  };
  frame = requestAnimationFrame(draw);
  const judge = window.setInterval(() => { const now = serverNow(), on = live(); for (const b of shown) b.judge(now, on); }, 1_000);
  const list = window.setInterval(() => void refresh(), LIST_EVERY_MS);
  onCleanup(() => {
    cancelAnimationFrame(frame);
    clearInterval(judge);
    clearInterval(list);
    link.stop();
  });
  return { bed, live, known: (patient) => { listed(); return lists.has(patient) || !ward.tiles[patient]?.waves; } };
}
