// What the central station shows: which beds, which two waveforms of each, how dense, how fast. No markup here.
import type { Tile, WaveChannel } from '../api/types';
import { byBed } from '../ward/ward.state';
import { arrangeChannels, kindOf, type Kind } from '../waves/channels';

export const DENSITIES = [4, 9, 16, 32] as const;
export const SPEEDS = [25, 12.5, 6.25] as const;
/** What one of the two lanes is to show; `auto` in the second: arterial pressure where there is one, else pleth, else what there is. */
export type Choice = 'ecg' | 'abp' | 'pleth' | 'resp' | 'auto';
export const CHOICES: [Choice, string][] = [['auto', 'ABP or pleth'], ['ecg', 'ECG'], ['abp', 'ABP'], ['pleth', 'Pleth'], ['resp', 'Resp']];

export interface StationView {
  unit: string;
  density: number;
  speed: number;
  first: Choice;
  second: Choice;
  /** Patients to show; empty: all of the unit. */
  beds: string[];
  page: number;
}
export const USUAL: StationView = { unit: '', density: 16, speed: 25, first: 'ecg', second: 'auto', beds: [], page: 0 };

const KEY = 'vw-station';
const one = <T>(list: readonly T[], value: unknown, otherwise: T): T => (list.includes(value as T) ? (value as T) : otherwise);

/** Reads what was kept; anything strange becomes the usual. */
export function readView(text: string | null): StationView {
  let kept: Partial<StationView> = {};
  try { kept = (JSON.parse(text ?? '{}') as Partial<StationView> | null) ?? {}; } catch { /* not ours */ }
  const choices = CHOICES.map(([c]) => c);
  return {
    unit: typeof kept.unit === 'string' ? kept.unit : '', density: one(DENSITIES, kept.density, 16), speed: one(SPEEDS, kept.speed, 25),
    first: one(choices, kept.first, 'ecg'), second: one(choices, kept.second, 'auto'),
    beds: Array.isArray(kept.beds) ? kept.beds.filter((b): b is string => typeof b === 'string') : [], page: 0,
  };
}
export const rememberedView = (): StationView => readView(localStorage.getItem(KEY));
export const remember = (view: StationView): void => localStorage.setItem(KEY, JSON.stringify({ ...view, page: 0 }));

/** Patients of the unit in the order of their beds. */
export const ofUnit = (tiles: Tile[], unit: string): Tile[] => tiles.filter((t) => !unit || t.location?.unit === unit).sort(byBed);

/** Of the unit the chosen beds, if any of them is still there; else those with waveforms; else, when nobody has any, all. */
export function bedsOf(tiles: Tile[], view: Pick<StationView, 'unit' | 'beds'>): Tile[] {
  const there = ofUnit(tiles, view.unit);
  const chosen = there.filter((t) => view.beds.includes(t.patient.id)), waving = there.filter((t) => t.waves);
  return chosen.length ? chosen : waving.length ? waving : there;
}

export const pagesOf = (count: number, density: number): number => Math.max(1, Math.ceil(count / density));
/** The beds of a page; a page beyond the last is the last. */
export function pageOf<T>(list: T[], density: number, page: number): T[] {
  const at = Math.min(Math.max(0, page), pagesOf(list.length, density) - 1);
  return list.slice(at * density, (at + 1) * density);
}

/** Columns of the grid for `count` beds on a page `width` px wide: a bed narrower than 230 px shows too little of a wave. */
export function columnsOf(count: number, density: number, width: number): number {
  const wanted = count <= 1 ? 1 : density <= 4 ? 2 : density <= 9 ? 3 : density <= 16 ? 4 : 6;
  return Math.max(1, Math.min(wanted, count, Math.floor(width / 230)));
}

const WANTS: Record<Choice, Kind[]> = { ecg: ['ecg'], abp: ['abp'], pleth: ['pleth'], resp: ['resp', 'co2'], auto: ['abp', 'pleth', 'resp', 'co2', 'ecg', 'other'] };

/** The two channels of a bed: what is live before what is not; a lane without its kind takes what is left, and no channel twice. */
export function pickTwo(channels: WaveChannel[], first: Choice, second: Choice): (WaveChannel | undefined)[] {
  const list = arrangeChannels(channels).sort((a, b) => Number(b.live) - Number(a.live));
  const taken: WaveChannel[] = [];
  for (const choice of [first, second]) {
    const found = WANTS[choice].map((kind) => list.find((c) => kindOf(c) === kind && !taken.includes(c))).find((c) => c !== undefined);
    taken.push((found ?? list.find((c) => !taken.includes(c))) as WaveChannel);
  }
  return taken;
}

/** Where an arrow key leads from bed `at`; page keys are not of the grid. */
export { neighbour } from '../ward/ward.state';
