// Which tiles the ward page shows, in which order, and what each tile's cells show. No markup here.
import type { CurrentValue, ScoreView, Tile } from '../api/types';
import { PRIORITY_RANK } from '../ui/AlarmMark';

export type Sort = 'bed' | 'concern';
export interface WardFilter { unit: string; sort: Sort; search: string }

const collator = new Intl.Collator('en', { numeric: true });

/** Patients in a bed first, by unit and bed; then the others by name. */
export function byBed(a: Tile, b: Tile): number {
  if (!a.location !== !b.location) return a.location ? -1 : 1;
  return collator.compare(a.location?.unit ?? '', b.location?.unit ?? '') || collator.compare(a.location?.name ?? '', b.location?.name ?? '') || collator.compare(a.patient.name, b.patient.name);
}

/** The more, the sooner somebody should look: alarms by priority, untaken before taken; then the score. */
export function concern(tile: Tile): number {
  const alarm = (PRIORITY_RANK[tile.alarm.priority] ?? 0) * 2 + (tile.alarm.sounding ? 1 : 0);
  return alarm * 1_000 + (tile.score?.value ?? 0) * 10 + Math.max(-4, Math.min(4, delta(tile.score) ?? 0));
}

/** Points gained or lost over the last hour; null when there is no hour to look back on. */
export function delta(score: ScoreView | null | undefined): number | null {
  const last = score?.trend[score.trend.length - 1];
  if (!score || score.value == null || !last) return null;
  const hourAgo = last[0] - 3_600_000;
  let before: number | null = null;
  for (const [t, v] of score.trend) if (t <= hourAgo) before = v;
  before ??= score.trend.length > 1 ? (score.trend[0]?.[1] ?? null) : null;
  return before == null ? null : score.value - before;
}

export function matches(tile: Tile, filter: WardFilter): boolean {
  if (filter.unit && tile.location?.unit !== filter.unit) return false;
  const wanted = filter.search.trim().toLowerCase();
  return !wanted || `${tile.patient.name} ${tile.patient.mrn} ${tile.location?.name ?? ''}`.toLowerCase().includes(wanted);
}

export function arrange(tiles: Tile[], filter: WardFilter): Tile[] {
  const shown = tiles.filter((t) => matches(t, filter)).sort(byBed);
  return filter.sort === 'concern' ? shown.sort((a, b) => concern(b) - concern(a)) : shown;
}

/** Metrics that can fill a cell, best first. */
export const SLOTS = {
  rate: ['MDC_ECG_HEART_RATE', 'MDC_PULS_OXIM_PULS_RATE', 'MDC_PULS_RATE'],
  resp: ['MDC_RESP_RATE', 'MDC_CO2_RESP_RATE', 'MDC_TTHOR_RESP_RATE'],
  spo2: ['MDC_PULS_OXIM_SAT_O2'],
  temp: ['MDC_TEMP_BODY', 'MDC_TEMP_CORE', 'MDC_TEMP_TYMP', 'MDC_TEMP_ORAL', 'MDC_TEMP_SKIN'],
  mind: ['VW_CONSCIOUSNESS'],
  oxygen: ['VW_SUPPLEMENTAL_OXYGEN'],
} as const;
const PRESSURES = [['MDC_PRESS_BLD_ART_ABP_SYS', 'MDC_PRESS_BLD_ART_ABP_DIA'], ['MDC_PRESS_BLD_NONINV_SYS', 'MDC_PRESS_BLD_NONINV_DIA']] as const;

const present = (value: CurrentValue | undefined): boolean => !!value && value.state !== 'stale';

/** Of the `metrics` that are present the one that the score took, so that tile and score agree; else the first present; else any. */
export function pick(values: CurrentValue[], metrics: readonly string[]): CurrentValue | undefined {
  const found = metrics.map((m) => values.find((v) => v.metric === m)).filter((v) => v !== undefined);
  return found.find((v) => present(v) && v.points != null) ?? found.find(present) ?? found[0];
}

export interface Pressure { systolic: CurrentValue; diastolic: CurrentValue | undefined }

/** The blood pressure to show: arterial while it is present, else by cuff. */
export function pressure(values: CurrentValue[]): Pressure | undefined {
  const pairs = PRESSURES.map(([s, d]) => ({ systolic: values.find((v) => v.metric === s), diastolic: values.find((v) => v.metric === d) })).filter((p): p is Pressure => !!p.systolic);
  return pairs.find((p) => present(p.systolic)) ?? pairs[0];
}

/** `A`, `C`, `V`, `P` or `U`, however the value was sent. */
export const mindLetter = (v: CurrentValue): string => (v.value != null ? 'ACVPU'[v.value] : undefined) || v.text?.charAt(0).toUpperCase() || '–';

export const onOxygen = (v: CurrentValue | undefined): boolean => !!v && (v.value != null ? v.value > 0 : v.text === 'oxygen');

const SEX: Record<string, string> = { male: 'M', female: 'F', other: 'X' };
export const sexLetter = (sex: string): string => SEX[sex] ?? '';

/** Where an arrow key leads from tile `at`, for tiles in rows of `columns`. */
export function neighbour(at: number, key: string, columns: number, count: number): number | null {
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - columns, ArrowDown: at + columns, Home: 0, End: count - 1 }[key];
  return to === undefined ? null : to < 0 || to >= count ? at : to;
}
