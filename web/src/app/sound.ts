// The audible alarm: bursts as IEC 60601-1-8 table 3 describes them (pulses, rhythm, pauses), off until
// somebody turns it on, because a browser plays nothing before a click.
import { createEffect, createSignal, onCleanup } from 'solid-js';
import { isLive, openAlerts } from '../live/store';
import { PRIORITY_RANK } from '../ui/AlarmMark';

interface Burst { pulse_s: number; starts_s: number[]; repeat_s: number; hertz: number }

/** High: ten pulses in two groups of three and two; medium: three; low: two, repeated rarely. */
export const BURSTS: Record<string, Burst> = {
  high: { pulse_s: 0.15, starts_s: [0, 0.26, 0.52, 0.98, 1.24, 2.0, 2.26, 2.52, 2.98, 3.24], repeat_s: 8, hertz: 523 },
  medium: { pulse_s: 0.2, starts_s: [0, 0.4, 0.8], repeat_s: 15, hertz: 440 },
  low: { pulse_s: 0.2, starts_s: [0, 0.4], repeat_s: 30, hertz: 330 },
};

const [on, setOn] = createSignal(false);
export const soundOn = on;
let context: AudioContext | null = null;

/** Turns the sound on (needs a click) or off. */
export async function toggleSound(): Promise<void> {
  if (on()) {
    setOn(false);
    return;
  }
  context ??= new AudioContext();
  await context.resume();
  setOn(true);
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
  createEffect(() => {
    const burst = on() ? BURSTS[soundingPriority()] : undefined;
    clearInterval(timer);
    if (!burst || !context) return;
    const audio = context;
    play(audio, burst);
    timer = window.setInterval(() => play(audio, burst), burst.repeat_s * 1_000);
  });
  onCleanup(() => clearInterval(timer));
}
