// What the trend charts draw: groups of metrics, ranges, gaps, and joined columns. No canvas here.
import type { Alert, Limits, SeriesView, TrendLine } from '../api/types';

/** Metrics drawn together; `usual` is always in view, so that a calm line looks calm. */
export interface Group { id: string; title: string; metrics: string[]; usual?: [number, number] }
export interface Range { from: number; to: number }

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
export const SPANS: { label: string; ms: number }[] = [
  { label: '15 min', ms: 15 * MINUTE }, { label: '1 h', ms: HOUR }, { label: '4 h', ms: 4 * HOUR }, { label: '12 h', ms: 12 * HOUR },
  { label: '24 h', ms: 24 * HOUR }, { label: '3 d', ms: 72 * HOUR }, { label: '7 d', ms: 168 * HOUR },
];

/** Metrics that are read together stand in one chart. */
const TOGETHER: Group[] = [
  { id: 'score', title: 'Early-warning score', metrics: ['VW_SCORE_NEWS2', 'VW_SCORE_PEWS', 'VW_SCORE_MEOWS'], usual: [0, 8] },
  { id: 'rate', title: 'Heart rate', metrics: ['MDC_ECG_HEART_RATE', 'MDC_PULS_OXIM_PULS_RATE', 'MDC_PULS_RATE'], usual: [50, 110] },
  { id: 'resp', title: 'Respiration', metrics: ['MDC_RESP_RATE', 'MDC_CO2_RESP_RATE'], usual: [8, 26] },
  { id: 'spo2', title: 'Oxygen saturation', metrics: ['MDC_PULS_OXIM_SAT_O2'], usual: [86, 100] },
  { id: 'nibp', title: 'Blood pressure', metrics: ['MDC_PRESS_BLD_NONINV_SYS', 'MDC_PRESS_BLD_NONINV_DIA', 'MDC_PRESS_BLD_NONINV_MEAN'], usual: [50, 150] },
  { id: 'abp', title: 'Arterial pressure', metrics: ['MDC_PRESS_BLD_ART_ABP_SYS', 'MDC_PRESS_BLD_ART_ABP_DIA', 'MDC_PRESS_BLD_ART_ABP_MEAN'], usual: [50, 150] },
  { id: 'temp', title: 'Temperature', metrics: ['MDC_TEMP_BODY', 'MDC_TEMP_CORE', 'MDC_TEMP_SKIN'], usual: [35.5, 38.5] },
];
const NOT_DRAWN = new Set(['device', 'waveform']);
const STATES = new Set(['VW_CONSCIOUSNESS', 'VW_SUPPLEMENTAL_OXYGEN', 'VW_RESPIRATORY_EFFORT', 'VW_OBSTETRIC_STATUS', 'VW_VASOACTIVE', 'VW_MECHANICAL_VENTILATION']);

/** The charts that a patient's series make, the usual ones first. */
export function groupsOf(series: SeriesView[]): Group[] {
  const have = new Map(series.filter((s) => !NOT_DRAWN.has(s.category) && !STATES.has(s.metric)).map((s) => [s.metric, s]));
  const groups: Group[] = [];
  for (const g of TOGETHER) {
    const metrics = g.metrics.filter((m) => have.has(m));
    if (metrics.length) groups.push({ ...g, metrics });
    metrics.forEach((m) => have.delete(m));
  }
  for (const s of have.values()) groups.push({ id: s.metric, title: s.name, metrics: [s.metric] });
  return groups;
}

/** The step after which a line is broken: thrice the usual one, at least a minute and a half. */
export function gapAfter(times: number[]): number {
  const steps = times.slice(1).map((t, i) => t - (times[i] ?? t)).sort((a, b) => a - b);
  return Math.max(90_000, 3 * (steps[Math.floor(steps.length / 2)] ?? 0));
}

/** A score is kept when it changes and every five minutes: it holds until the next one, and only a longer pause is a gap. */
export const holds = (metric: string): boolean => metric.startsWith('VW_SCORE_');
const SCORE_GAP = 6 * MINUTE;

type Column = (number | null)[];
/** Columns for one line: time, low, high, last; a null stands where nothing was measured for long. */
export function columns(line: TrendLine): [number[], Column, Column, Column] {
  const gap = Math.max(gapAfter(line.time_ms), holds(line.metric) ? SCORE_GAP : 0);
  const out: [number[], Column, Column, Column] = [[], [], [], []];
  line.time_ms.forEach((t, i) => {
    const before = line.time_ms[i - 1];
    if (before !== undefined && t - before > gap) {
      out[0].push(before + 1);
      out[1].push(null); out[2].push(null); out[3].push(null);
    }
    out[0].push(t);
    out[1].push(line.low[i] ?? null); out[2].push(line.high[i] ?? null); out[3].push(line.last[i] ?? null);
  });
  return out;
}

/** Index of the time nearest to `t`; -1 when there is none. */
export function nearest(times: number[], t: number): number {
  let lo = 0, hi = times.length - 1;
  if (hi < 0) return -1;
  while (hi - lo > 1) {
    const mid = (lo + hi) >> 1;
    if ((times[mid] ?? 0) < t) lo = mid;
    else hi = mid;
  }
  return Math.abs((times[lo] ?? 0) - t) <= Math.abs((times[hi] ?? 0) - t) ? lo : hi;
}

/** The shortest span that shows all there is since `first`, at least half filled by it; four hours when nothing is known. */
export function spanFor(first: number | undefined, now: number): number {
  if (first === undefined) return 4 * HOUR;
  return SPANS.find((s) => s.ms <= 4 * HOUR && s.ms >= now - first)?.ms ?? 4 * HOUR;
}

/** The vertical range: the data, what is usual, and limits that are not far away, with some air. */
export function yRange(lines: TrendLine[], usual?: [number, number]): [number, number] {
  let min = Infinity, max = -Infinity;
  for (const line of lines) {
    for (const v of line.low) if (v < min) min = v;
    for (const v of line.high) if (v > max) max = v;
  }
  if (min > max) return [0, 1];
  if (usual) [min, max] = [Math.min(min, usual[0]), Math.max(max, usual[1])];
  const reach = Math.max(2, (max - min) * 0.6);
  const near = lines.flatMap((l) => limitValues(l.limits)).filter((v) => v > min - reach && v < max + reach);
  const low = Math.min(min, ...near), high = Math.max(max, ...near);
  const air = Math.max((high - low) * 0.08, 0.5);
  return [low - air, high + air];
}

export const limitValues = (limits: Limits | null | undefined): number[] => [limits?.low, limits?.high].filter((v): v is number => v != null);

/** The range around its middle, `factor` times as long, not into the future. */
export function zoom(range: Range, factor: number, now: number): Range {
  const span = Math.min(168 * HOUR, Math.max(2 * MINUTE, (range.to - range.from) * factor));
  const to = Math.min(now, (range.from + range.to) / 2 + span / 2);
  return { from: to - span, to };
}

export function shift(range: Range, by: number, now: number): Range {
  const span = range.to - range.from;
  const to = Math.min(now, range.to + span * by);
  return { from: to - span, to };
}

/** Index of the last time that is not after `t`; -1 when there is none. */
export function lastBefore(times: number[], t: number): number {
  const at = nearest(times, t);
  return at >= 0 && (times[at] ?? 0) > t ? at - 1 : at;
}

/**
 * Rows for the table view, newest first: at most `count` equal steps, and for each line the index of its last value
 * at that time; null where it was measured too long before.
 */
export function tableRows(lines: TrendLine[], range: Range, count = 24): { time: number; cells: (number | null)[] }[] {
  const step = (range.to - range.from) / count;
  return Array.from({ length: count }, (_, i) => range.to - i * step).map((time) => ({
    time,
    cells: lines.map((line) => {
      const at = lastBefore(line.time_ms, time);
      const t = line.time_ms[at];
      return t !== undefined && time - t <= Math.max(step, gapAfter(line.time_ms)) ? at : null;
    }),
  }));
}

/** Alerts of the range, with where they begin and end in percent of it. */
export function marks(alerts: Alert[], range: Range, now: number): { alert: Alert; left: number; width: number }[] {
  const span = range.to - range.from;
  return alerts
    .filter((a) => a.raised_ms <= range.to && (a.resolved_ms ?? now) >= range.from)
    .map((alert) => {
      const from = Math.max(alert.raised_ms, range.from), to = Math.min(alert.resolved_ms ?? now, range.to);
      return { alert, left: ((from - range.from) / span) * 100, width: ((to - from) / span) * 100 };
    });
}

export interface MarkGroup { alerts: Alert[]; left: number; width: number }
const GRAVITY = ['low', 'medium', 'high'];

/** Marks that would stand on each other are one, with the gravest alert first; `room` is a mark's width in percent. */
export function gather(all: { alert: Alert; left: number; width: number }[], room: number): MarkGroup[] {
  const groups: MarkGroup[] = [];
  for (const mark of [...all].sort((a, b) => a.left - b.left)) {
    const last = groups.at(-1);
    // Marks at the very end grow to the left.
    if (last && Math.min(mark.left, 100 - room) - Math.min(last.left, 100 - room) < room) {
      last.alerts.push(mark.alert);
      last.width = Math.max(last.width, mark.left + mark.width - last.left);
    } else groups.push({ alerts: [mark.alert], left: mark.left, width: mark.width });
  }
  for (const group of groups) group.alerts.sort((a, b) => GRAVITY.indexOf(b.priority) - GRAVITY.indexOf(a.priority) || b.raised_ms - a.raised_ms);
  return groups;
}
