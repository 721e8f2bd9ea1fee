// Calls to `/api/v1/fleet`.
import { call, url, type Query } from '../api/client';
import type { components } from '../api/schema';

type Schemas = components['schemas'];
export type FleetDevice = Schemas['FleetDevice'];
export type InventoryPage = Schemas['InventoryPage'];
export type Vulnerability = Schemas['VulnerabilityLine'];
export type HabitFinding = Schemas['HabitFinding'];
export type ImageLine = Schemas['ImageLine'];
export type CampaignView = Schemas['CampaignView'];
export type CampaignDetail = Schemas['CampaignDetail'];
export type EdgeView = Schemas['EdgeView'];
export type EdgeDetail = Schemas['EdgeDetail'];
export type CampaignAction = 'resume' | 'pause' | 'rollback';

const get = <T>(path: string, query?: Query) => call<T>('GET', url(`/fleet${path}`, query));
const post = <T>(path: string, body: unknown = {}) => call<T>('POST', url(`/fleet${path}`), body);

export const fleet = {
  inventory: (q: string, verdict: string) => get<InventoryPage>('/inventory', { q, verdict, limit: 500 }),
  vulnerabilities: () => get<Vulnerability[]>('/vulnerabilities'),
  acknowledge: (id: string, device: string, reason: string) => post<void>('/vulnerabilities/acknowledge', { id, device, reason }),
  findings: () => get<HabitFinding[]>('/findings', { limit: 100 }),
  edges: () => call<EdgeView[]>('GET', url('/edges')),
  edge: (id: string) => call<EdgeDetail>('GET', url(`/edges/${encodeURIComponent(id)}`)),
  addEdge: (id: string, name: string) => call<{ code: string }>('POST', url('/edges'), { id, name }),
  ruleEdge: (id: string, rules: EdgeView['rules']) => call<void>('PUT', url(`/edges/${encodeURIComponent(id)}/rules`), rules),
  rotateEdge: (id: string) => call<void>('POST', url(`/edges/${encodeURIComponent(id)}/rotation`), {}),
  images: () => get<ImageLine[]>('/images'),
  campaigns: () => get<CampaignView[]>('/campaigns'),
  campaign: (number: number) => get<CampaignDetail>(`/campaigns/${number}`),
  create: (name: string, sha256: string, rings: number[], soak_min: number) => post<CampaignView>('/campaigns', { name, sha256, rings, soak_min }),
  act: (number: number, action: CampaignAction, why: string) => post<void>(`/campaigns/${number}/${action}`, { why }),
};
