// Calls to `/api/v1/audit`.
import { call, url } from '../api/client';

/** One record; empty texts say nothing. */
export interface AuditRow {
  n: number;
  at_ms: number;
  actor: string;
  role: string | null;
  action: string;
  route: string;
  subject: string | null;
  patients: string[];
  outcome: string;
  detail: string;
  object: string;
  request: string;
  source: string | null;
  purpose: string;
  client: string;
  session: string;
  factor: string;
  policies: string[];
}
export interface AuditAnswer {
  rows: AuditRow[];
  total: number;
  next: number | null;
  signed: number;
}
export interface AuditProof {
  record: string;
  index: number;
  path: string[];
  head: string;
  key: string;
  holds: boolean;
}
/** What is looked for; empty: does not matter. Days as `2026-11-21`. */
export interface Filters {
  actor: string;
  patient: string;
  action: string;
  outcome: string;
  from: string;
  until: string;
}

const day = (text: string, plus = 0): number | null => {
  const [y, m, d] = text.split('-').map(Number);
  return y && m && d ? new Date(y, m - 1, d + plus).getTime() : null;
};

/** The parameters of a search: whole days as the reader's clock has them. */
export const parameters = (f: Filters) => ({
  actor: f.actor.trim(), patient: f.patient.trim(), action: f.action, outcome: f.outcome, from_ms: day(f.from), until_ms: day(f.until, 1),
});

export const audit = {
  search: (filters: Filters, before?: number | null) => call<AuditAnswer>('GET', url('/audit', { ...parameters(filters), before })),
  proof: (n: number) => call<AuditProof>('GET', url(`/audit/proof/${n}`)),
  table: (filters: Filters) => url('/audit/export', parameters(filters)),
};
