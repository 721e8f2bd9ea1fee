// Calls to `/api/v1`. Answers other than 2xx become an `ApiError` with the server's own text.
import type {
  Alert, AlertAction, AlertHistory, AlertPage, AssociateRequest, AssociationView, BeatPage, DeviceModel, DevicePage, DeviceView, ErrorBody, Hold,
  LocationView, MetricLimits, ModelCard, ModelPage, MountRequest, OwnNormalDecision, OwnNormals, PatientBrief, PatientPage, ProfileTest, ProfileTestResult, ProfileView,
  QuarantineDetail, QuarantinePage, ReadingSource, Session, Setup, SetupState, Spo2Scale, Trends, WaveChannel,
} from './types';

export const BASE = '/api/v1';

/** A refused or failed call. `status` 0: the server was not reached. */
export class ApiError extends Error {
  constructor(readonly status: number, readonly kind: string, message: string) {
    super(message);
  }
}

let onUnauthorised: () => void = () => {};
/** What to do when the session has ended. */
export function whenUnauthorised(act: () => void): void {
  onUnauthorised = act;
}

let onClosed: (path: string) => void = () => {};
/** What to do when a patient is refused who could be opened in an emergency; `path` is what was asked for. */
export function whenClosed(act: (path: string) => void): void {
  onClosed = act;
}

export type Query = Record<string, string | number | null | undefined>;

/** `path` with the parameters that have a value. */
export function url(path: string, query: Query = {}): string {
  const pairs = Object.entries(query).filter(([, v]) => v != null && v !== '');
  const text = new URLSearchParams(pairs.map(([k, v]) => [k, String(v)])).toString();
  return BASE + path + (text ? `?${text}` : '');
}

/** The answer to a call, whatever it carries; other than 2xx is an error. */
async function answer(method: string, path: string, body?: unknown, signal?: AbortSignal, accept?: string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      credentials: 'same-origin',
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...(accept && { accept }) },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiError(0, 'unreachable', 'The server cannot be reached. Check the network; nothing was changed.');
  }
  if (response.ok) return response;
  if (response.status === 401 && !path.startsWith(`${BASE}/login`) && !path.endsWith('/setup')) onUnauthorised();
  const error = (await response.json().catch(() => null)) as ErrorBody | null;
  if (response.status === 403 && error?.break_glass) onClosed(path);
  throw new ApiError(response.status, error?.error ?? 'failed', error?.message ?? `The server answered ${response.status}.`);
}

export async function call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const text = await (await answer(method, path, body, signal)).text();
  return (text ? JSON.parse(text) : undefined) as T;
}

async function bytes(path: string, signal?: AbortSignal): Promise<ArrayBuffer> {
  return (await answer('GET', path, undefined, signal, 'application/octet-stream')).arrayBuffer();
}

const get = <T>(path: string, query?: Query, signal?: AbortSignal) => call<T>('GET', url(path, query), undefined, signal);
const post = <T>(path: string, body: unknown = {}) => call<T>('POST', url(path), body);
const put = <T>(path: string, body: unknown) => call<T>('PUT', url(path), body);
const id = encodeURIComponent;

export interface DeviceDetail {
  device: DeviceView;
  associations: AssociationView[];
}
export type AlertVerb = 'acknowledge' | 'snooze' | 'escalate' | 'reset' | 'judge';

/** One function a route. */
export const api = {
  session: () => get<Session>('/session'),
  setupState: () => get<SetupState>('/setup'),
  setUp: (setup: Setup) => post<Session>('/setup', setup),
  logout: () => post<{ provider: string } | undefined>('/logout'),
  patient: (patient: string) => get<PatientPage>(`/patients/${id(patient)}`),
  patients: (q: string) => get<PatientBrief[]>('/patients', { q }),
  trends: (patient: string, metrics: string[], from: number, to: number, points: number, signal?: AbortSignal) =>
    get<Trends>(`/patients/${id(patient)}/trends`, { metrics: metrics.join(','), from: Math.round(from), to: Math.round(to), points }, signal),
  setLimits: (patient: string, limits: MetricLimits) => put<unknown>(`/patients/${id(patient)}/limits`, limits),
  ownNormals: (patient: string) => get<OwnNormals>(`/patients/${id(patient)}/own-normal`),
  decideOwnNormal: (patient: string, decision: OwnNormalDecision) => post<OwnNormals>(`/patients/${id(patient)}/own-normal`, decision),
  setScale: (patient: string, scale: Spo2Scale) => put<unknown>(`/patients/${id(patient)}/spo2-scale`, scale),
  alerts: (query: Query) => get<AlertPage>('/alerts', query),
  alert: (episode: string) => get<AlertHistory>(`/alerts/${id(episode)}`),
  act: (episode: string, verb: AlertVerb, action: AlertAction) => post<Alert>(`/alerts/${id(episode)}/${verb}`, action),
  devices: () => get<DevicePage>('/devices'),
  device: (device: string) => get<DeviceDetail>(`/devices/${id(device)}`),
  deviceModel: (device: string) => get<DeviceModel>(`/devices/${id(device)}/model`),
  associate: (device: string, request: AssociateRequest) => post<unknown>(`/devices/${id(device)}/association`, request),
  disassociate: (device: string) => call<unknown>('DELETE', url(`/devices/${id(device)}/association`)),
  mount: (device: string, request: MountRequest) => post<unknown>(`/devices/${id(device)}/mount`, request),
  locations: () => get<LocationView[]>('/locations'),
  quarantine: (query: Query) => get<QuarantinePage>('/quarantine', query),
  quarantined: (offset: number) => get<QuarantineDetail>(`/quarantine/${offset}`),
  release: (offset: number) => post<{ released: number }>(`/quarantine/${offset}/release`),
  releaseMatching: (kind: string | null) => post<{ released: number }>('/quarantine/release-matching', kind ? { kind } : {}),
  discard: (offset: number, reason: string) => post<unknown>(`/quarantine/${offset}/discard`, { reason }),
  profiles: () => get<ProfileView[]>('/profiles'),
  saveProfile: (profile: ProfileView) => put<unknown>(`/profiles/${id(profile.name)}`, profile),
  testProfile: (test: ProfileTest) => post<ProfileTestResult>('/profiles/test', test),
  models: () => get<ModelPage>('/models'),
  modelCard: (model: string) => get<ModelCard>(`/models/${id(model)}`),
  waveforms: (patient: string) => get<{ channels: WaveChannel[] }>(`/patients/${id(patient)}/waveforms`),
  /** Wave messages of one channel: samples, or at most about `columns` pairs. Whole milliseconds. */
  waves: (patient: string, series: number, from: number, to: number, columns: number, signal?: AbortSignal) =>
    bytes(url(`/patients/${id(patient)}/waveforms/${series}`, { from_ms: Math.round(from), to_ms: Math.round(to), columns }), signal),
  beats: (patient: string, from: number, to: number, signal?: AbortSignal) => get<BeatPage>(`/patients/${id(patient)}/beats`, { from_ms: Math.round(from), to_ms: Math.round(to) }, signal),
  holds: (patient: string) => get<{ holds: Hold[] }>(`/patients/${id(patient)}/holds`),
  hold: (patient: string, hold: { from_ms: number; to_ms: number; reason: string }) => post<Hold>(`/patients/${id(patient)}/holds`, hold),
  releaseHold: (patient: string, hold: string) => call<void>('DELETE', url(`/patients/${id(patient)}/holds/${id(hold)}`)),
  reading: (reading: string) => get<ReadingSource>(`/readings/${id(reading)}`),
};
