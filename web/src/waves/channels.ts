// What a channel is: its kind, its colour, its words; which of a patient's channels to show. No markup here.
import type { WaveChannel } from '../api/types';

export type Kind = 'ecg' | 'abp' | 'pleth' | 'resp' | 'co2' | 'other';

const KINDS: [RegExp, Kind][] = [
  [/ECG_ELEC|_ECG_|^MDC_ECG/, 'ecg'], [/PLETH|PULS_OXIM/, 'pleth'], [/PRESS_BLD|PRESS_/, 'abp'], [/CO2/, 'co2'], [/RESP|TTHOR|IMPED|FLOW|AWAY/, 'resp'],
];
export function kindOf(channel: Pick<WaveChannel, 'metric' | 'unit'>): Kind {
  return KINDS.find(([pattern]) => pattern.test(channel.metric))?.[1] ?? 'other';
}

export const KIND_WORD: Record<Kind, string> = { ecg: 'ECG', abp: 'Pressure', pleth: 'Pleth', resp: 'Resp', co2: 'CO₂', other: 'Other' };
/** The usual colours of bedside monitors; `tokens.css` holds one set for light and one for dark. */
export const KIND_COLOUR: Record<Kind, string> = { ecg: '--wave-ecg', abp: '--wave-abp', pleth: '--wave-pleth', resp: '--wave-resp', co2: '--wave-co2', other: '--wave-other' };

const REASONS: Record<string, string> = {
  flat: 'flat line', clipped: 'clipped', 'baseline-wander': 'baseline wander', motion: 'motion', mains: 'mains hum', 'lead-off': 'lead off', noise: 'noise',
};
/** Why a signal is not to be believed, in words; empty when it is good. */
export const reasonWord = (quality: string | null | undefined): string => (!quality || quality === 'good' ? '' : (REASONS[quality] ?? quality.replace(/-/g, ' ')));

const RHYTHMS: Record<string, string> = {
  undetermined: 'Rhythm not determined', 'ventricular-run': 'Ventricular run', 'ventricular-tachycardia': 'Ventricular tachycardia', 'ventricular-fibrillation': 'Ventricular fibrillation',
};
/** `Atrial fibrillation` */
export function rhythmWord(rhythm: string): string {
  const text = RHYTHMS[rhythm] ?? rhythm.replace(/-/g, ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}
const LETHAL = new Set(['ventricular-tachycardia', 'ventricular-fibrillation', 'asystole', 'extreme-tachycardia', 'extreme-bradycardia']);
/** How urgent a rhythm is, for its colour: 2 at once, 1 look, 0 nothing. */
export const rhythmWeight = (rhythm: string): number => (LETHAL.has(rhythm) ? 2 : rhythm === 'regular' || rhythm === 'undetermined' || !rhythm ? 0 : 1);

/** Letters of ANSI/AAMI EC57 with their words; the shape tells them apart without colour. */
export const BEATS: Record<string, { word: string; shape: 'none' | 'down' | 'up' | 'square' | 'diamond' | 'ring'; colour: string }> = {
  N: { word: 'normal', shape: 'none', colour: '--ink-3' },
  S: { word: 'supraventricular', shape: 'up', colour: '--beat-s' },
  V: { word: 'ventricular', shape: 'down', colour: '--beat-v' },
  P: { word: 'paced', shape: 'square', colour: '--beat-p' },
  F: { word: 'fusion', shape: 'diamond', colour: '--beat-f' },
  Q: { word: 'not classifiable', shape: 'ring', colour: '--ink-3' },
};

const ECG_ORDER = ['II', 'MCL', 'V', 'V5', 'V1', 'I', 'III', 'AVF', 'AVR', 'AVL'];
const lead = (c: WaveChannel): string => c.metric.replace(/^.*POTL_?/, '').toUpperCase();
const KIND_ORDER: Kind[] = ['ecg', 'abp', 'pleth', 'resp', 'co2', 'other'];
const rank = (list: string[], value: string): number => { const at = list.indexOf(value); return at < 0 ? list.length : at; };

/** ECG leads first (II before the others), then pressure, pleth, respiration. */
export function arrangeChannels(channels: WaveChannel[]): WaveChannel[] {
  return [...channels].sort((a, b) => rank(KIND_ORDER, kindOf(a)) - rank(KIND_ORDER, kindOf(b)) || rank(ECG_ORDER, lead(a)) - rank(ECG_ORDER, lead(b)) || a.series - b.series);
}

/** The ECG that stands for the patient: what is live before what is not, then by lead. */
export function leadEcg(channels: WaveChannel[]): WaveChannel | undefined {
  const ecg = arrangeChannels(channels).filter((c) => kindOf(c) === 'ecg');
  return ecg.find((c) => c.live) ?? ecg[0] ?? arrangeChannels(channels)[0];
}

/** `Lead II`, `ABP`: short words for the head of a lane. */
export function channelWord(c: WaveChannel): string {
  return c.label.replace(/O2/g, 'O₂') || KIND_WORD[kindOf(c)];
}
/** The unit as people write it; empty for a plain number. */
export const unitWord = (unit: string): string => (unit === '1' || unit === '{count}' ? '' : unit.replace('mm[Hg]', 'mmHg').replace(/^Ohm$/, 'Ω').replace(/\{.*\}/, ''));
/** `62.5 Hz` */
export const rateWord = (rate: number[]): string => `${+((rate[0] ?? 0) / (rate[1] || 1)).toFixed(3)} Hz`;
/** `wave-gap` as people say it. */
export const countedWord = (reason: string): string => reason.replace(/^wave-/, '').replace(/-/g, ' ');
