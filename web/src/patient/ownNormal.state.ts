// What is usual for a patient: loading it, and saying it in words.
import { createEffect, createSignal, on, onCleanup, type Accessor } from 'solid-js';
import { api } from '../api/client';
import type { OwnLimitChange, OwnNormal, OwnNormals, UsualBand } from '../api/types';
import { number } from '../ui/format';

const REFRESH_MS = 60_000;
const HOUR = 3_600_000;

export interface OwnNormalModel {
  all: Accessor<OwnNormals | null>;
  reload: () => Promise<void>;
  take: (next: OwnNormals) => void;
}

/** Loads what is usual for the patient, again when limits change and once a minute. */
export function useOwnNormals(id: () => string, limits: () => string): OwnNormalModel {
  const [all, setAll] = createSignal<OwnNormals | null>(null);
  const reload = async () => {
    const asked = id();
    // Whoever may not see it sees the page without it.
    const next = await api.ownNormals(asked).catch(() => null);
    if (asked === id() && next) setAll(next);
  };
  createEffect(on(id, () => { setAll(null); void reload(); }));
  createEffect(on(limits, () => void reload(), { defer: true }));
  const timer = window.setInterval(() => void reload(), REFRESH_MS);
  onCleanup(() => clearInterval(timer));
  return { all, reload, take: setAll };
}

/** The usual band at a time: by the hour of the place's day where that counts. */
export function bandAt(normal: OwnNormal, at: number, now: number): UsualBand | null {
  if (!normal.usual || normal.hours.length !== 24) return normal.usual ?? null;
  const hours = Math.floor(at / HOUR) - Math.floor(now / HOUR);
  return normal.hours[(((normal.hour + hours) % 24) + 24) % 24] ?? null;
}

/** `78 (66–90)`; empty while nothing is known. */
export const usualText = (normal: OwnNormal): string => {
  const { usual, decimals } = normal;
  return usual ? `${number(usual.centre, decimals)} (${number(usual.low, decimals)}–${number(usual.high, decimals)})` : '';
};

/** Where learning stands, in words. */
export function stateText(normal: OwnNormal): string {
  switch (normal.state) {
    case 'known': return normal.apply === 'inform' ? 'shown only' : 'limits follow';
    case 'stated': return `stated by ${normal.by}`;
    case 'paused': return `paused by ${normal.by}`;
    default: return `learning: ${normal.periods} of ${normal.periods_needed} periods, at least ${number(normal.warm_up_h, 0)} h`;
  }
}

/** Change and trend in words; empty if there is neither. */
export function movingText(normal: OwnNormal): string {
  const parts: string[] = [];
  if (normal.change) parts.push(`level changed ${normal.change.up ? '↑' : '↓'}`);
  if (normal.trend_per_h != null) parts.push(`trend ${normal.trend_per_h > 0 ? 'rising' : 'falling'} ${number(Math.abs(normal.trend_per_h), normal.decimals + 1)} an hour`);
  return parts.join(', ');
}

/** `48–108`, `≥ 88`, `none` */
export function rangeText(change: OwnLimitChange): string {
  const { low, high } = change;
  return low != null && high != null ? `${low}–${high}` : low != null ? `≥ ${low}` : high != null ? `≤ ${high}` : 'none';
}

/** Why a limit is what it is, for the table of limits. */
export const sourceText = (source: string): string => (source === 'patient' ? 'set' : source === 'own-normal' ? 'follows normal' : 'policy');
