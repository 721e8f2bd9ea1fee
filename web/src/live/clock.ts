// One clock for the page, on the server's time: ages and countdowns all hang on these signals.
import { createSignal } from 'solid-js';

let offset = 0;
const [now, setNow] = createSignal(Date.now());
const [coarse, setCoarse] = createSignal(Date.now());

/** The server's present time, changing once a second. */
export const nowMs = now;
/** The same, changing every ten seconds: for what shows minutes only. */
export const nowCoarseMs = coarse;

/** Corrects our clock by the server's. */
export function setServerTime(serverMs: number): void {
  offset = serverMs - Date.now();
}

/** The server's present time, exactly. */
export function serverNow(): number {
  return Date.now() + offset;
}

export function tickClock(): void {
  const t = serverNow();
  setNow(t);
  if (t - coarse() >= 10_000 || t < coarse()) setCoarse(t);
}

/** Starts the ticking; returns what stops it. */
export function startClock(): () => void {
  const timer = window.setInterval(tickClock, 1_000);
  return () => clearInterval(timer);
}
