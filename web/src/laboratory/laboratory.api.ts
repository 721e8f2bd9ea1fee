// Calls to `/api/v1/laboratory` and `/api/v1/policy/versions`.
import { call, url } from '../api/client';
import type { components } from '../api/schema';

type Schemas = components['schemas'];
export type AlertLine = Schemas['LaboratoryAlert'];
export type Answered = Schemas['LaboratoryAnswered'];
/** What a run is asked; what is left out is as the server has it. */
export type Asked = Partial<Schemas['LaboratoryAsked']> & Pick<Schemas['LaboratoryAsked'], 'set' | 'sweep'>;
export type Candidate = Schemas['LaboratoryCandidate'];
export type Changed = Schemas['LaboratoryChanged'];
export type Difference = Schemas['LaboratoryDifference'];
export type EventLine = Schemas['LaboratoryEventLine'];
export type Figures = Schemas['LaboratoryFigures'];
export type Interval = Schemas['LaboratoryInterval'];
export type Laboratory = Schemas['LaboratoryView'];
export type Moved = Schemas['LaboratoryChanges'];
export type MovedAlerts = Schemas['LaboratoryAlerts'];
export type Parameter = Schemas['LaboratoryParameter'];
export type Point = Schemas['LaboratoryPoint'];
export type Proposal = Schemas['PolicyProposal'];
export type Report = Schemas['LaboratoryReport'];
export type Result = Schemas['LaboratoryResult'];
export type Run = Schemas['LaboratoryRun'];
export type SweepNumber = Schemas['LaboratorySweep'];
export type VersionView = Schemas['PolicyVersion'];

const runs = '/laboratory/runs', versions = '/policy/versions';

export const lab = {
  about: () => call<Laboratory>('GET', url('/laboratory')),
  start: (asked: Asked) => call<Run>('POST', url(runs), asked),
  runs: () => call<Schemas['LaboratoryRuns']>('GET', url(runs)).then((answer) => answer.runs),
  run: (run: string | number) => call<Run>('GET', url(`${runs}/${encodeURIComponent(run)}`)),
  /** Cancels one that goes on, forgets one that has ended. */
  end: (run: string | number) => call<void>('DELETE', url(`${runs}/${encodeURIComponent(run)}`)),
  moved: (run: string | number, candidate: number) => call<MovedAlerts>('GET', url(`${runs}/${encodeURIComponent(run)}/alerts`, { candidate })),
  versions: () => call<Schemas['PolicyVersions']>('GET', url(versions)).then((answer) => answer.versions),
  version: (number: string | number) => call<VersionView>('GET', url(`${versions}/${encodeURIComponent(number)}`)),
  propose: (proposal: Proposal) => call<VersionView>('POST', url(versions), proposal),
  approve: (number: number, note: string) => call<VersionView>('POST', url(`${versions}/${number}/approval`), { note }),
  reject: (number: number, reason: string) => call<VersionView>('POST', url(`${versions}/${number}/rejection`), { reason }),
  putInForce: (number: number) => call<VersionView>('POST', url(`${versions}/${number}/in-force`)),
  /** Puts it in force without review. */
  force: (number: number, reason: string) => call<VersionView>('POST', url(`${versions}/${number}/emergency`), { reason }),
  signed: (number: number) => url(`${versions}/${number}/signed`),
};
