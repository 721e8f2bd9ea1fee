// Loads a patient and keeps the page up to date: the tile comes live, the rest follows alerts and a slow clock.
import { createEffect, createMemo, createSignal, on, onCleanup } from 'solid-js';
import { createStore, reconcile } from 'solid-js/store';
import { api } from '../api/client';
import type { PatientPage, Tile } from '../api/types';
import { onLiveEvent, ward } from '../live/store';

const REFRESH_MS = 30_000;

export interface PatientModel {
  page: PatientPage | null;
  tile: () => Tile | undefined;
  error: () => string;
  reload: () => Promise<void>;
}

export function usePatient(id: () => string): PatientModel {
  const [store, setStore] = createStore<{ page: PatientPage | null }>({ page: null });
  const [error, setError] = createSignal('');
  const reload = async () => {
    const asked = id();
    try {
      const page = await api.patient(asked);
      if (asked !== id()) return;
      setStore('page', reconcile(page, { key: 'metric' }));
      setError('');
    } catch (cause) {
      if (asked === id()) setError((cause as Error).message);
    }
  };
  createEffect(on(id, () => {
    setStore('page', null);
    void reload();
  }));
  const stop = onLiveEvent((event) => { if (event.type === 'alert' && event.patient?.id === id()) void reload(); });
  const timer = window.setInterval(() => void reload(), REFRESH_MS);
  onCleanup(() => { stop(); clearInterval(timer); });
  const tile = createMemo(() => ward.tiles[id()] ?? store.page?.tile);
  return { get page() { return store.page; }, tile, error, reload };
}
