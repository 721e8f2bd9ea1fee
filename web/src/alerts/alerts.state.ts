// Order and words of alerts. No markup here.
import type { Alert } from '../api/types';
import { PRIORITY_RANK } from '../ui/AlarmMark';
import { countdown, hourMinute } from '../ui/format';

/** Somebody still has to take it. */
export const untaken = (a: Alert): boolean => a.state === 'raised' || a.state === 'latched';

const TURN: Record<string, number> = { raised: 2, latched: 1 };

/** Priority first; within it what sounds, then what is latched, then what is taken; within that the oldest. */
export function worklist(alerts: Alert[]): Alert[] {
  return alerts
    .filter((a) => a.state !== 'resolved')
    .sort((a, b) => (PRIORITY_RANK[b.priority] ?? 0) - (PRIORITY_RANK[a.priority] ?? 0) || (TURN[b.state] ?? 0) - (TURN[a.state] ?? 0) || a.raised_ms - b.raised_ms);
}

const ROLE_WORD: Record<string, string> = { nurse: 'nurse', 'charge-nurse': 'charge nurse', physician: 'physician', engineer: 'engineer', administrator: 'administrator' };
export const roleWord = (role: string): string => ROLE_WORD[role] ?? (role || '–');

/** One condition of an alert: what it is, the rule that says so, the values. */
export interface Reason { what: string; rule: string; values: string }

/** The reason condition by condition: `What (rule): values. What (rule): values`. */
export function reasons(a: Pick<Alert, 'reason'>): Reason[] {
  return a.reason.split(/\. (?=\p{Lu})/u).filter(Boolean).map((text) => {
    const [, what = '', rule = '', values = ''] = /^([^(:]+) \((.*?)\): (.*)$/s.exec(text) ?? /^([^(:]+)()?: (.*)$/s.exec(text) ?? [];
    return values ? { what, rule, values } : { what: '', rule: '', values: text };
  });
}

/** The reason in one line; the title, which stands above it, is not said again. */
export const reasonLine = (a: Pick<Alert, 'reason' | 'title'>): string => reasons(a).map((r) => (r.what && r.what !== a.title ? `${r.what}: ${r.values}` : r.values)).join(' · ');

/** Whose turn it is, or who has taken it and until when, in one line. */
export function stateText(a: Alert, now: number): string {
  const until = a.quiet_until_ms ? ` until ${hourMinute(a.quiet_until_ms)}` : '';
  switch (a.state) {
    case 'acknowledged': return `acknowledged by ${a.taken_by || 'somebody'}${until}`;
    case 'snoozed': return `snoozed by ${a.taken_by || 'somebody'}${until}`;
    case 'latched': return 'the condition has gone; reset it once you have seen it';
    case 'resolved': return a.resolved_ms ? `resolved ${hourMinute(a.resolved_ms)}` : 'resolved';
    default: return a.escalates_ms ? `${roleWord(a.assigned)}’s turn, escalates in ${countdown(a.escalates_ms - now)}` : a.assigned ? `${roleWord(a.assigned)}’s turn` : 'open';
  }
}

/** Part of the time to escalation that is left, 0 to 1; null when no clock runs. */
export function escalationLeft(a: Alert, now: number): number | null {
  if (a.state !== 'raised' || !a.escalates_ms) return null;
  const whole = Math.max(60_000, a.escalates_ms - Math.max(a.raised_ms, a.changed_ms));
  return Math.max(0, Math.min(1, (a.escalates_ms - now) / whole));
}

export const STATE_WORD: Record<string, string> = { raised: 'Raised', acknowledged: 'Acknowledged', snoozed: 'Snoozed', latched: 'Latched', resolved: 'Resolved' };

const KIND_WORD: Record<string, string> = {
  raised: 'Raised', worsened: 'Worsened', eased: 'Eased', acknowledged: 'Acknowledged', snoozed: 'Snoozed', sounding: 'Sounds again',
  escalated: 'Escalated', joined: 'Another condition joined', latched: 'Condition gone, latched', resolved: 'Resolved', reset: 'Reset', judged: 'Judged',
};
export const kindWord = (kind: string): string => KIND_WORD[kind] ?? kind;

/** What a clinician may say that an alert was. */
export const VERDICTS = [
  { name: 'actionable', title: 'Actionable', meaning: 'True, and something was to be done' },
  { name: 'not-actionable', title: 'Not actionable', meaning: 'True, and nothing was to be done' },
  { name: 'artefact', title: 'Artefact', meaning: 'Not true: movement, a loose electrode, a wrong value' },
] as const;
export const verdictWord = (name: string): string => VERDICTS.find((v) => v.name === name)?.title.toLowerCase() ?? name;
