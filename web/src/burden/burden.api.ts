// Calls to `/api/v1/burden`.
import { call, url } from '../api/client';
import type { components } from '../api/schema';

type Schemas = components['schemas'];
export type BurdenAnswer = Schemas['BurdenAnswer'];
export type Figures = Schemas['BurdenFigures'];
export type Pareto = Schemas['BurdenPareto'];
export type Share = Schemas['BurdenShare'];
export type Flood = Schemas['BurdenFlood'];
export type Report = Schemas['BurdenReport'];
export type ReportName = Schemas['BurdenReports'];
export type ScoresAnswer = Schemas['ScoresAnswer'];
export type ScoreRight = Schemas['BurdenScoreRight'];

export interface Wanted { from_ms: number; to_ms: number; unit: string }

export const burden = {
  figures: (wanted: Wanted) => call<BurdenAnswer>('GET', url('/burden', { ...wanted })),
  table: (wanted: Wanted) => url('/burden/export', { ...wanted }),
  scores: () => call<ScoresAnswer>('GET', url('/burden/scores')),
  reports: () => call<ReportName[]>('GET', url('/burden/reports')),
  report: (name: string) => call<Report>('GET', url(`/burden/reports/${encodeURIComponent(name)}`)),
};
