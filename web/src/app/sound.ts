// The audible alarm: bursts as IEC 60601-1-8 table 3 describes them (pulses, rhythm, pauses), off until
// somebody turns it on, because a browser plays nothing before a click.
import { createEffect, createSignal, onCleanup } from 'solid-js';
import { nowMs, serverNow } from '../live/clock';
import { isLive, openAlerts } from '../live/store';
import { PRIORITY_RANK } from '../ui/AlarmMark';

interface Burst { pulse_s: number; starts_s: number[]; repeat_s: number; hertz: number }

/** High: ten pulses in two groups of three and two; medium: three; low: two, repeated rarely. */
export const BURSTS: Record<string, Burst> = {
  high: { pulse_s: 0.15, starts_s: [0, 0.26, 0.52, 0.98, 1.24, 2.0, 2.26, 2.52, 2.98, 3.24], repeat_s: 8, hertz: 523 },
  medium: { pulse_s: 0.2, starts_s: [0, 0.4, 0.8], repeat_s: 15, hertz: 440 },
  low: { pulse_s: 0.2, starts_s: [0, 0.4], repeat_s: 30, hertz: 330 },
};

const CONFIRM: Burst = { pulse_s: 0.12, starts_s: [0], repeat_s: 0, hertz: 330 };

/** How long a pause lasts before the sound returns by itself. */
export const PAUSE_MS = 120_000;

const [on, setOn] = createSignal(false);
const [until, setUntil] = createSignal<number | null>(null);
const [blocked, setBlocked] = createSignal(false);
/** Somebody turned the sound on here, and did not turn it off since. */
export const soundOn = on;
/** When the pause ends, by the server's clock; null while not paused. */
export const pausedUntil = until;
/** The sound is on, but the browser or the machine plays nothing. */
export const soundBlocked = (): boolean => on() && blocked();
let context: AudioContext | null = null;

/** Turns the sound on, or ends a pause; needs a click. A low chirp says that it can be heard. */
export async function startSound(): Promise<void> {
  setUntil(null);
  context ??= new AudioContext();
  const audio = context;
  audio.onstatechange = () => setBlocked(audio.state !== 'running');
  await Promise.race([audio.resume(), new Promise((resolve) => window.setTimeout(resolve, 1_000))]);
  setBlocked(audio.state !== 'running');
  if (!on()) play(audio, CONFIRM);
  setOn(true);
}

/** Silence for two minutes; what is seen stays. */
export function pauseSound(): void {
  setUntil(serverNow() + PAUSE_MS);
}

export function soundOff(): void {
  setUntil(null);
  setOn(false);
}

function play(audio: AudioContext, burst: Burst): void {
  // A fundamental and four harmonics, so that the direction can be heard (IEC 60601-1-8, 6.3.3.1).
  const wave = audio.createPeriodicWave(new Float32Array(6), new Float32Array([0, 1, 0.6, 0.5, 0.4, 0.3]));
  for (const start of burst.starts_s) {
    const at = audio.currentTime + 0.05 + start;
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.setPeriodicWave(wave);
    tone.frequency.value = burst.hertz;
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(0.25, at + 0.02);
    volume.gain.setValueAtTime(0.25, at + burst.pulse_s - 0.03);
    volume.gain.linearRampToValueAtTime(0, at + burst.pulse_s);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + burst.pulse_s + 0.02);
  }
}

/** The most urgent priority whose signal is on; a lost connection sounds as medium. */
export function soundingPriority(): string {
  if (!isLive()) return 'medium';
  return openAlerts().filter((a) => a.state === 'raised').reduce((top, a) => ((PRIORITY_RANK[a.priority] ?? 0) > (PRIORITY_RANK[top] ?? 0) ? a.priority : top), 'none');
}

/** Plays while there is something to hear. */
export function useAlarmSound(): void {
  let timer = 0;
  createEffect(() => { if (nowMs() >= (until() ?? Infinity)) setUntil(null); });
  createEffect(() => {
    const burst = on() && until() == null ? BURSTS[soundingPriority()] : undefined;
    clearInterval(timer);
    if (!burst || !context) return;
    const audio = context;
    play(audio, burst);
    timer = window.setInterval(() => play(audio, burst), burst.repeat_s * 1_000);
  });
  onCleanup(() => clearInterval(timer));
}
