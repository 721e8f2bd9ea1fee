// A tried policy against the present one: in plain words first, then line by line.
import { took } from '../burden/burden.state';
import type { Figures, Difference, Interval } from './laboratory.api';

/** `better` and `worse` only where it is plain which is which; the words say it as well. */
export type Tone = 'better' | 'worse' | 'same' | 'unknown';
export interface Line { tone: Tone; text: string; note: string }

const HOUR_S = 3_600;
/** Fewer bed-days than this say little. */
const LEAST_BED_DAYS = 1;

export const EVENT_WORD: Record<string, string> = {
  'low-pressure': 'mean pressure below 65 mmHg for 15 min', 'low-oxygen': 'SpO₂ below 85 % for 1 min', death: 'death', transfer: 'transfer to higher care', sepsis: 'onset of sepsis',
};
export const eventWord = (event: string): string => EVENT_WORD[event] ?? event;

const digits = (value: number): number => (Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
/** A rate: `6.2`, `0.41`, `–`. */
export const rate = (value: number | null | undefined): string => (value == null ? '–' : value === 0 ? '0' : value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 1 ? 1 : 2));
export const percent = (value: number | null | undefined): string => (value == null ? '–' : `${Math.round(value * 100)} %`);
const signed = (value: number, text: string): string => `${value > 0 ? '+' : value < 0 ? '−' : ''}${text}`;

/** An interval behind a figure: ` (3.1 to 5.0)`. */
const between = (one: Interval, say: (value: number) => string): string => (one.low == null || one.high == null ? '' : ` (${say(one.low)} to ${say(one.high)})`);
export const rateWords = (one: Interval): string => `${rate(one.value)}${between(one, rate)}`;
export const shareWords = (one: Interval): string => `${percent(one.value)}${between(one, percent)}`;
const signedRate = (value: number): string => (value === 0 ? '0' : signed(value, Math.abs(value).toFixed(digits(value))));
export const differenceWords = (one: Interval): string => (one.value == null ? '–' : `${signedRate(one.value)}${between(one, signedRate)}`);
const points = (value: number): string => signed(Math.round(value * 100), `${Math.abs(Math.round(value * 100))} points`);
export const pointsWords = (one: Interval): string => (one.value == null ? '–' : `${points(one.value)}${between(one, points)}`);

/** Whether no difference at all lies within the interval. */
const chance = (one: Interval | undefined): boolean => one?.low == null || one.high == null || (one.low <= 0 && one.high >= 0);

function alerts(now: Figures, then: Figures, difference: Difference | undefined): Line {
  const [a, b] = [now.alerts_per_bed_day.value, then.alerts_per_bed_day.value];
  if (a == null || b == null) return { tone: 'unknown', text: 'Nobody was monitored in this time.', note: 'Take another period.' };
  const text = `${rate(a)} → ${rate(b)} alerts a bed-day`;
  if (now.alerts === then.alerts) return { tone: 'same', text, note: `As many as today: ${then.alerts}.` };
  const less = then.alerts < now.alerts;
  const part = now.alerts ? `${Math.round((Math.abs(now.alerts - then.alerts) / now.alerts) * 100)} % ${less ? 'fewer' : 'more'}: ` : '';
  const doubt = chance(difference?.alerts_per_bed_day) ? '; this may be chance' : '';
  return { tone: less ? 'better' : 'worse', text, note: `${part}${then.alerts} instead of ${now.alerts} in this time${doubt}.` };
}

const total = (figures: Figures, of: 'events' | 'missed'): number => figures.events.reduce((sum, line) => sum + line[of], 0);

function missed(now: Figures, then: Figures): Line {
  const [events, a, b] = [total(now, 'events'), total(now, 'missed'), total(then, 'missed')];
  if (events === 0) return { tone: 'unknown', text: 'No real event happened in this time', note: 'What a policy would miss cannot be told. Take a longer period before you decide.' };
  const of = events === 1 ? 'the only event' : `${events} events`;
  const text = b === 0 ? (events === 1 ? 'The only event is not missed' : `None of ${of} missed`) : events === 1 ? 'The only event is missed' : `${b} of ${of} missed`;
  if (a === b) return { tone: 'same', text, note: b === 0 ? 'As today.' : 'As many as today.' };
  return b > a ? { tone: 'worse', text, note: `${b - a} more than today.` } : { tone: 'better', text, note: `${a - b} fewer than today.` };
}

/** Hours as people say them: `3 min`, `1.5 h`. */
export const hours = (value: number | null | undefined): string => (value == null ? '–' : took(value * HOUR_S));

/** When the first alert of each kind of event comes, in the median; what moved most is told. */
function lead(now: Figures, then: Figures): Line | null {
  const moved = then.events.flatMap((line) => {
    const before = now.events.find((other) => other.event === line.event)?.lead_h_median;
    return before == null || line.lead_h_median == null ? [] : [{ event: line.event, later: before - line.lead_h_median, left: line.lead_h_median }];
  });
  if (!moved.length) return null;
  const most = moved.reduce((a, b) => (Math.abs(b.later) > Math.abs(a.later) ? b : a));
  if (Math.abs(most.later) * HOUR_S < 1) return { tone: 'same', text: 'First alerts come as early as today', note: moved.map((m) => `${eventWord(m.event)}: ${hours(m.left)} before`).join('; ') };
  const late = most.later > 0;
  return { tone: late ? 'worse' : 'better', text: `First alert ${hours(Math.abs(most.later))} ${late ? 'later' : 'earlier'}`, note: `Half of the events (${eventWord(most.event)}) have it ${hours(most.left)} or more before.` };
}

export const atNight = (figures: Figures): number | null => (figures.calls.some((c) => c.at_night == null) ? null : figures.calls.reduce((sum, c) => sum + (c.at_night ?? 0), 0));

function night(now: Figures, then: Figures): Line {
  const [a, b] = [atNight(now), atNight(then)];
  if (a == null || b == null) return { tone: 'unknown', text: 'Calls at night are not known', note: 'These data have no time of day.' };
  if (a === b) return { tone: 'same', text: a === 0 ? 'No call at night, as today' : `${b} calls at night, as today`, note: '' };
  const n = Math.abs(a - b);
  return { tone: b < a ? 'better' : 'worse', text: `${n} ${b < a ? 'fewer' : 'more'} ${n === 1 ? 'call' : 'calls'} at night`, note: `${b} instead of ${a}.` };
}

function preceding(now: Figures, then: Figures): Line | null {
  const [a, b] = [now.preceding.value, then.preceding.value];
  if (a == null || b == null || total(now, 'events') === 0) return null;
  const tone = Math.round(a * 100) === Math.round(b * 100) ? 'same' : b > a ? 'better' : 'worse';
  return { tone, text: `${percent(b)} of alerts preceded a real event`, note: `${percent(a)} today.` };
}

/** What a tried policy would have done, in a nurse's words. */
export function plainWords(now: Figures, then: Figures, difference: Difference | undefined): Line[] {
  return [alerts(now, then, difference), missed(now, then), lead(now, then), night(now, then), preceding(now, then)].filter((line) => line !== null);
}

/** Time of monitoring over all patients: `31.5 bed-days`, `14 min of monitoring`. */
export const monitored = (bedDays: number): string => (bedDays >= LEAST_BED_DAYS ? `${bedDays.toFixed(1)} bed-days` : `${took(bedDays * 24 * HOUR_S)} of monitoring`);

/** Why the figures may say little; empty when they need no warning. */
export function caution(bedDays: number, patients: number | null): string {
  if (bedDays >= LEAST_BED_DAYS && (patients == null || patients > 1)) return '';
  const whose = patients == null ? '' : patients === 1 ? ' of one patient' : ` of ${patients} patients`;
  return `Only ${monitored(bedDays)}${whose}: too little to decide by.`;
}

/** The same of figures that were kept without their time: a rate and a count tell it. */
export const cautionOf = (figures: Figures): string => {
  const each = figures.alerts_per_bed_day.value;
  return each ? caution(figures.alerts / each, null) : '';
};

export interface CauseRow { priority: string; cause: string; now: number; then: number; nowRate: number | null; thenRate: number | null }

const RANK: Record<string, number> = { high: 3, medium: 2, low: 1 };

/** Alerts by priority and cause under both policies, most urgent and most frequent first. */
export function causeRows(now: Figures, then: Figures): CauseRow[] {
  const rows = new Map<string, CauseRow>();
  for (const [figures, which] of [[now, 'now'], [then, 'then']] as const) {
    for (const line of figures.causes) {
      const key = `${line.priority} ${line.cause}`;
      const row = rows.get(key) ?? { priority: line.priority, cause: line.cause, now: 0, then: 0, nowRate: 0, thenRate: 0 };
      rows.set(key, { ...row, [which]: line.alerts, [`${which}Rate`]: line.per_bed_day ?? null });
    }
  }
  return [...rows.values()].sort((a, b) => (RANK[b.priority] ?? 0) - (RANK[a.priority] ?? 0) || Math.max(b.now, b.then) - Math.max(a.now, a.then) || a.cause.localeCompare(b.cause));
}

/** A change of a count: `−11`, `+2`, `0`. */
export const change = (now: number, then: number): string => (then === now ? '0' : signed(then - now, String(Math.abs(then - now))));
