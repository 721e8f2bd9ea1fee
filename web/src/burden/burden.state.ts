// Words and measures of the figures.
import type { Figures, Share } from './burden.api';

export const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
export const PERIODS = [{ days: 1, title: 'Day' }, { days: 7, title: 'Week' }, { days: 28, title: '4 weeks' }] as const;

const percent = (part: number): string => `${Math.round(part * 100)}%`;

/** `12 of 40: 30% (18–45%)`, or that there are too few. */
export function shareText(share: Share): string {
  const count = `${share.of} of ${share.all}`;
  if (share.share == null || share.low == null || share.high == null) return share.all === 0 ? 'none so far' : `${count}, too few to tell`;
  return `${count}: ${percent(share.share)} (${percent(share.low)} to ${percent(share.high)})`;
}

/** How a number changed: `▲ 20%`, `▼ 5%`, `as before`; nothing without a before. */
export function changeText(now: number | null | undefined, before: number | null | undefined): string {
  if (now == null || before == null || before === 0) return '';
  const change = (now - before) / before;
  if (Math.abs(change) < 0.005) return 'as before';
  return `${change > 0 ? '▲' : '▼'} ${Math.round(Math.abs(change) * 100)}%`;
}

/** Shade of a cell, 0 (nothing) to 5 (the most of all cells). */
export function shade(alerts: number, most: number): number {
  return alerts === 0 || most === 0 ? 0 : Math.max(1, Math.ceil((alerts / most) * 5));
}

export const most = (hours: number[][]): number => Math.max(0, ...hours.flat());

/** Seconds as people say them: `40 s`, `3 min`, `2.5 h`. */
export function took(seconds: number | null | undefined): string {
  if (seconds == null) return '–';
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5_400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3_600).toFixed(1)} h`;
}

export interface Tile { title: string; value: string; change: string; note: string }

/** Less than half a bed-day says nothing a day. */
export const LEAST_DAYS = 0.5;
const rate = (f: Figures): number | null => (f.bed_days < LEAST_DAYS ? null : (f.per_bed_day ?? null));

/** The headline: a few numbers, each beside as long a time before. */
export function headline(now: Figures, before: Figures): Tile[] {
  return [
    { title: 'Alerts a bed-day', value: rate(now)?.toFixed(1) ?? '–', change: changeText(rate(now), rate(before)), note: `${now.alerts} alerts in ${now.bed_days.toFixed(1)} bed-days` },
    { title: 'High priority', value: String(now.high), change: changeText(now.high, before.high), note: `medium ${now.medium}, low ${now.low}` },
    { title: 'Calls at night', value: String(now.night.calls), change: changeText(now.night.calls, before.night.calls), note: `${now.night.alerts} alerts, ${now.night.passed_on} passed on` },
    { title: 'Floods', value: String(now.floods.length), change: changeText(now.floods.length, before.floods.length), note: `${Math.round(now.flood_minutes)} minutes in units` },
    { title: 'Ended by themselves', value: now.fleeting.share == null ? `${now.fleeting.of} of ${now.fleeting.all}` : percent(now.fleeting.share), change: changeText(now.fleeting.share, before.fleeting.share), note: 'within 30 s, nobody took them' },
    { title: 'Actionable', value: now.judged.actionable.share == null ? '–' : percent(now.judged.actionable.share), change: changeText(now.judged.actionable.share, before.judged.actionable.share), note: `of those judged: ${shareText(now.judged.actionable)}` },
  ];
}
