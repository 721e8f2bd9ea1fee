// A run in words, and what of its result is shown first.
import { dateTime } from '../ui/format';
import type { Asked, Parameter, Report, Result } from './laboratory.api';
import { wholeWords } from './numbers.state';

/** What was asked, for a run without a title: its numbers in words, or by their paths where they are not known. */
export function askedWords(asked: Pick<Asked, 'set' | 'sweep'>, numbers: readonly Parameter[] = []): string {
  const words = (path: string, value: string) => {
    const p = numbers.find((one) => one.path === path);
    return p ? wholeWords(p, value) : `${path} ${value}`;
  };
  const parts = [...asked.set.map((s) => words(s.path, String(s.value))), ...asked.sweep.map((s) => words(s.path, `${s.from} to ${s.to}`))];
  return parts.join(', ') || 'a whole policy';
}

export const periodWords = (report: Pick<Report, 'from_ms' | 'to_ms'>): string => (report.from_ms == null || report.to_ms == null ? 'hours without a date' : `${dateTime(report.from_ms)} to ${dateTime(report.to_ms)}`);

/** Which policy is shown first: the proposed one, else the first of the frontier, else the first that was tried. */
export function shownFirst(result: Result): number {
  if (result.proposed) return result.proposed;
  const best = result.points.findIndex((point, at) => at > 0 && point.on_frontier);
  return best > 0 ? best : Math.min(1, result.candidates.length - 1);
}

/** Why no policy is proposed though a budget was given; empty when one is, or none was asked for. */
export function unproposed(result: Result, budget: number | null | undefined): string {
  if (budget == null || result.proposed != null) return '';
  return result.points.every((p) => p.sensitivity.value == null) ? 'Nothing is proposed: no real event happened by which policies could be told apart.' : `No policy that was tried stays within ${budget} alerts a bed-day.`;
}
