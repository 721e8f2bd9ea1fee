// Calls to `/api/v1/laboratory` and `/api/v1/policy/versions`.
import { call, url } from '../api/client';

export interface Parameter { path: string; value?: number | null; of: string; what: string; unit: string }
export interface Interval { value?: number | null; low?: number | null; high?: number | null }
export interface CauseLine { priority: string; cause: string; alerts: number; per_bed_day?: number | null }
export interface EventLine { event: string; events: number; missed: number; sensitivity: Interval; lead_h_p25?: number | null; lead_h_median?: number | null; lead_h_p75?: number | null }
export interface Answered { observed: boolean; taken: number; untaken: number; median_s?: number | null; p90_s?: number | null }
export interface CallLine { role: string; calls: number; per_bed_day?: number | null; at_night?: number | null }
export interface Figures {
  name: string; hash: string; alerts: number; alerts_per_bed_day: Interval; preceding: Interval; sensitivity: Interval; technical_per_bed_day?: number | null;
  causes: CauseLine[]; events: EventLine[]; answered: Answered; calls: CallLine[];
}
export interface Moved { kept: number; gone: number; new: number; gone_preceding: number; new_preceding: number }
export interface Difference { name: string; alerts_per_bed_day: Interval; preceding: Interval; sensitivity: Interval; alerts?: Moved | null }
export interface Report {
  source: string; from_ms?: number | null; to_ms?: number | null; patients: number; bed_days: number; horizon_h: number; assumptions: string[];
  policies: Figures[]; differences: Difference[];
}
export interface Changed { parameter: Parameter; from?: number | null; to?: number | null }
export interface LabCandidate { name: string; hash: string; changed: Changed[]; more: boolean }
export interface Point { name: string; changes: { path: string; value: number }[]; alerts_per_bed_day: Interval; sensitivity: Interval; preceding: Interval; on_frontier: boolean }
export interface Result { report: Report; candidates: LabCandidate[]; points: Point[]; proposed?: number | null; notes: string[]; titles: Record<string, string> }
export interface SetNumber { path: string; value: number }
export interface SweepNumber { path: string; from: number; to: number; step: number }
export interface Asked { title?: string; from_ms?: number | null; to_ms?: number | null; set: SetNumber[]; sweep: SweepNumber[]; target?: string | null; budget?: number | null; night_from?: number; night_to?: number; horizon_h?: number }
export interface Progress { done: number; total: number; share: number; seconds: number; left_s?: number | null }
export interface Run {
  id: number; title: string; by: string; state: string; started_ms: number; ended_ms?: number | null;
  asked: Asked; progress: Progress; error?: string | null; result?: Result | null;
}
export interface Laboratory {
  from_ms?: number | null; to_ms?: number | null; hash: string; name: string; policies_max: number; events: { name: string; when: string; for_s: number }[];
  told_events: string[]; defaults: { horizon_h: number; answered_after_s: number; night_from: number; night_to: number; utc_offset_min: number; transfer_to: string[] }; running?: number | null; numbers: Parameter[];
}
export interface AlertLine { patient: { id: string; name: string }; episode?: string | null; cause: string; title: string; priority: string; begin_ms: number; end_ms?: number | null; preceded: boolean }
export interface MovedAlerts { candidate: number; gone: AlertLine[]; new: AlertLine[]; hidden: number; cut: boolean }
export interface Version {
  number: number; title: string; reason: string; policy: string; hash: string; parent: string; simulated: string;
  present?: Figures | null; figures?: Figures | null; difference?: Difference | null; proposed_by: string; proposed_ms: number;
  approved_by?: string | null; approved_ms?: number | null; approval: string; ended?: { how: string; by: string; at_ms: number; reason: string } | null;
}
export interface VersionView {
  version: Version; state: string; changed: Changed[]; more: boolean;
  may: { approve: boolean; reject: boolean; withdraw: boolean; put_in_force: boolean }; why_not?: string | null;
}

const runs = '/laboratory/runs', versions = '/policy/versions';

export const lab = {
  about: () => call<Laboratory>('GET', url('/laboratory')),
  start: (asked: Asked) => call<Run>('POST', url(runs), asked),
  runs: () => call<{ runs: Run[] }>('GET', url(runs)).then((answer) => answer.runs),
  run: (run: string | number) => call<Run>('GET', url(`${runs}/${encodeURIComponent(run)}`)),
  /** Cancels one that goes on, forgets one that has ended. */
  end: (run: string | number) => call<void>('DELETE', url(`${runs}/${encodeURIComponent(run)}`)),
  moved: (run: string | number, candidate: number) => call<MovedAlerts>('GET', url(`${runs}/${encodeURIComponent(run)}/alerts`, { candidate })),
  versions: () => call<{ versions: VersionView[] }>('GET', url(versions)).then((answer) => answer.versions),
  version: (number: string | number) => call<VersionView>('GET', url(`${versions}/${encodeURIComponent(number)}`)),
  propose: (proposal: { run: number; candidate: number; title: string; reason: string }) => call<VersionView>('POST', url(versions), proposal),
  approve: (number: number, note: string) => call<VersionView>('POST', url(`${versions}/${number}/approval`), { note }),
  reject: (number: number, reason: string) => call<VersionView>('POST', url(`${versions}/${number}/rejection`), { reason }),
  putInForce: (number: number) => call<VersionView>('POST', url(`${versions}/${number}/in-force`)),
  signed: (number: number) => url(`${versions}/${number}/signed`),
};
