// Calls and shapes of break-glass, consents, care teams, caregivers and the access report.
import { call, url } from '../api/client';
import type { components } from '../api/schema';

type Schemas = components['schemas'];
export type Access = Schemas['AccessView'];
export type AccessReport = Schemas['AccessReport'];
export type BreakGlass = Schemas['BreakGlassView'];
export type BreakGlassOpened = Schemas['BreakGlassOpened'];
export type BreakGlassQueue = Schemas['BreakGlassQueue'];
export type BreakGlassRequest = Schemas['BreakGlassRequest'];
export type Caregiver = Schemas['CaregiverView'];
export type CareTeam = Schemas['CareTeamView'];
export type Consent = Schemas['ConsentView'];
export type ConsentForm = Schemas['ConsentForm'];
export type ConsentList = Schemas['ConsentList'];
export type Invitation = Schemas['InvitationForm'];
export type Invited = Schemas['Invited'];
export type Me = Schemas['Me'];
export type Member = Schemas['MemberView'];

const id = encodeURIComponent;
const get = <T>(path: string) => call<T>('GET', url(path));
const remove = (path: string) => call<void>('DELETE', url(path));

/** Whose consents: a patient's for staff, or one's own. */
export type Whose = { patient: string } | 'me';
const of = (whose: Whose) => (whose === 'me' ? '/me' : `/patients/${id(whose.patient)}`);

export const privacy = {
  open: (wanted: BreakGlassRequest) => call<BreakGlassOpened>('POST', url('/break-glass'), wanted),
  mine: () => get<{ now_ms: number; open: BreakGlass[] }>('/break-glass/mine'),
  end: (access: string) => call<BreakGlass>('DELETE', url(`/break-glass/${id(access)}`)),
  queue: () => get<BreakGlassQueue>('/break-glass'),
  review: (access: string, outcome: string, note: string) => call<BreakGlass>('POST', url(`/break-glass/${id(access)}/review`), { outcome, note }),
  consents: (whose: Whose) => get<ConsentList>(`${of(whose)}/consents`),
  give: (whose: Whose, form: ConsentForm) => call<Consent>('POST', url(`${of(whose)}/consents`), form),
  withdraw: (whose: Whose, consent: string) => remove(`${of(whose)}/consents/${id(consent)}`),
  accesses: (whose: Whose) => get<AccessReport>(`${of(whose)}/accesses`),
  careTeam: (patient: string) => get<CareTeam>(`/patients/${id(patient)}/care-team`),
  putMember: (patient: string, member: Member) => call<CareTeam>('PUT', url(`/patients/${id(patient)}/care-team`), member),
  removeMember: (patient: string, account: string) => remove(`/patients/${id(patient)}/care-team/${id(account)}`),
  me: () => get<Me>('/me'),
  caregivers: () => get<{ caregivers: Caregiver[] }>('/me/caregivers'),
  invite: (form: Invitation) => call<Invited>('POST', url('/me/caregivers'), form),
  dismiss: (caregiver: string) => remove(`/me/caregivers/${id(caregiver)}`),
  accept: (code: string) => call<void>('POST', url('/me/invitation'), { code }),
};

/** Address of the file with everything. */
export const exportUrl = (whose: Whose) => url(`${of(whose)}/export`);
