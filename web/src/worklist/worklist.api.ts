// Calls for the worklist and care pathways.
import { call, url } from '../api/client';
import type { components } from '../api/schema';

type Schemas = components['schemas'];
export type Worklist = Schemas['Worklist'];
export type WorklistLine = Schemas['WorklistLine'];
export type PatientPathways = Schemas['PatientPathways'];
export type PathwayView = Schemas['PathwayView'];
export type PathwayStepView = Schemas['PathwayStepView'];
export type PathwayVerb = 'start' | 'decline' | 'stop' | 'done' | 'not-applicable' | 'decline-step';

const of = (patient: string) => `/patients/${encodeURIComponent(patient)}`;

export const worklist = {
  list: (unit: string) => call<Worklist>('GET', url('/worklist', { unit })),
  seen: (patient: string, how: 'bedside' | 'opened') => call<void>('POST', url(`${of(patient)}/seen`), { how }),
  pathways: (patient: string) => call<PatientPathways>('GET', url(`${of(patient)}/pathways`)),
  decide: (patient: string, pathway: string, verb: PathwayVerb, step: string, reason: string) =>
    call<PatientPathways>('POST', url(`${of(patient)}/pathways/${encodeURIComponent(pathway)}/${verb}`), { step, reason }),
};
