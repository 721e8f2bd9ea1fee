// Emergency accesses of whoever is at the screen: which are open, and whether a refused page could be opened.
import { createSignal } from 'solid-js';
import { whenClosed } from '../api/client';
import { may } from '../session/session';
import { privacy, type BreakGlass } from './privacy.api';

const LOOK_EVERY_MS = 30_000;

const [offered, setOffered] = createSignal<string | null>(null);
const [refused, setRefused] = createSignal<string | null>(null);
const [open, setOpen] = createSignal<BreakGlass[]>([]);
/** The patient whose page was refused and could be opened; null: none. */
export const offeredPatient = offered;
export const openAccesses = open;
/** The patient whose page was refused last and could be opened; whether or not the offer was declined. */
export const refusedPatient = refused;
export const offer = (patient: string | null) => setOffered(patient);

/** The patient in the address of a refused call. */
export function patientOf(path: string): string | null {
  const found = /\/patients\/([^/?]+)/.exec(path)?.[1] ?? new URLSearchParams(path.split('?')[1] ?? '').get('patient');
  return found ? decodeURIComponent(found) : null;
}

/** Whole minutes until then, never below 0. */
export const minutesLeft = (until: number, now: number): number => Math.max(0, Math.ceil((until - now) / 60_000));

export async function lookForOpen(): Promise<void> {
  if (!may('use-break-glass')) return;
  setOpen(await privacy.mine().then((mine) => mine.open, () => open()));
}

/** Looks now and then which accesses are open, and offers to open what was refused; returns what stops it. */
export function startEmergency(): () => void {
  whenClosed((path) => {
    const patient = may('use-break-glass') ? patientOf(path) : null;
    // Offered once by itself; whoever declined finds a button on the page.
    if (patient && patient !== refused()) { setRefused(patient); offer(patient); }
  });
  void lookForOpen();
  const timer = window.setInterval(() => void lookForOpen(), LOOK_EVERY_MS);
  return () => { window.clearInterval(timer); setOpen([]); setRefused(null); offer(null); };
}
