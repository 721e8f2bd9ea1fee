// Trust in devices: calls, order and words. No markup here.
import { call, url } from '../api/client';
import type { components } from '../api/schema';

type Schemas = components['schemas'];
export type TrustedDevice = Schemas['TrustedDevice'];
export type TrustedDetail = Schemas['TrustedDetail'];
export type Certificate = Schemas['CertificateView'];
export type Zone = Schemas['ZoneView'];
export type SecurityEvent = Schemas['SecurityEventView'];
export type EnrolmentCode = Schemas['EnrolmentCode'];
export type Authority = Schemas['AuthorityView'];

const id = encodeURIComponent;
const get = <T>(path: string) => call<T>('GET', url(`/trust${path}`));
const send = <T>(method: string, path: string, body: unknown = {}) => call<T>(method, url(`/trust${path}`), body);

export const trust = {
  devices: () => get<TrustedDevice[]>('/devices'),
  device: (device: string) => get<TrustedDetail>(`/devices/${id(device)}`),
  announce: (device: string, why: string) => send<void>('POST', `/devices/${id(device)}/announcement`, { why }),
  claim: (device: string, claim: { why: string; zone: string; kind: string; activate: boolean }) => send<EnrolmentCode>('POST', `/devices/${id(device)}/claim`, claim),
  code: (device: string) => send<EnrolmentCode>('POST', `/devices/${id(device)}/code`),
  step: (device: string, step: string, why: string) => send<void>('POST', `/devices/${id(device)}/steps/${id(step)}`, { why }),
  rights: (device: string, rights: { zone: string; kind: string; metrics: string[] }) => send<void>('PUT', `/devices/${id(device)}/rights`, rights),
  revoke: (serial: string, reason: string) => send<void>('POST', `/certificates/${id(serial)}/revoke`, { reason }),
  authority: () => get<Authority>('/authority'),
  zones: () => get<Zone[]>('/zones'),
  events: () => get<SecurityEvent[]>('/events'),
  open: () => get<{ open: number }>('/events/open'),
  take: (number: number, note: string) => send<void>('POST', `/events/${number}/take`, { note }),
};

/** The order in which somebody has to look: what waits for a person first. */
export const STATES = ['announced', 'claimed', 'verified', 'suspended', 'active', 'retired'] as const;
export const STATE_WORD: Record<string, string> = {
  announced: 'Announced', claimed: 'Claimed', verified: 'Verified', active: 'In service', suspended: 'Suspended', retired: 'Retired',
};
export const STATE_MEANS: Record<string, string> = {
  announced: 'Heard or told of. Nobody has taken responsibility; refused.',
  claimed: 'Waits for the device to prove its key with the code.',
  verified: 'Known, and not in service yet.',
  active: 'It is let in and may send what its kind may.',
  suspended: 'Out of service for a while; refused.',
  retired: 'Out of service for good; certificates revoked.',
};
export const STEP_WORD: Record<string, string> = { claim: 'Claim', verify: 'Verified by me', activate: 'Put into service', suspend: 'Suspend', retire: 'Retire' };
export const REASONS: Record<string, string> = {
  'key-compromise': 'Somebody else may have the key', superseded: 'Another certificate takes its place', 'cessation-of-operation': 'The device is no longer used',
  'privilege-withdrawn': 'It may no longer do this', unspecified: 'Not said',
};
export const EVENT_WORD: Record<string, string> = {
  'wrong-zone': 'Heard in the wrong zone', 'forbidden-metric': 'Said what it may not say', 'not-in-service': 'Spoke while out of service', 'revoked-certificate': 'Showed a revoked certificate',
  'other-authority': 'Certificate of a foreign authority', 'forged-certificate': 'Certificate that was never issued', 'enrolment-refused': 'Enrolment refused', 'too-many-events': 'Too many events',
};

/** What an event is called; kinds of other parts are shown by their name. */
export const eventWord = (kind: string): string => EVENT_WORD[kind] ?? kind.replaceAll('-', ' ').replace(/^./, (c) => c.toUpperCase());

const DAY_MS = 86_400_000;
/** A certificate that ends within this is to be looked after. */
export const SOON_DAYS = 30;

/** Whole days until a time; negative when it is over. */
export const daysUntil = (atMs: number, nowMs: number): number => Math.floor((atMs - nowMs) / DAY_MS);

/** How a certificate stands, in words. */
export function ends(untilMs: number, nowMs: number): string {
  const days = daysUntil(untilMs, nowMs);
  if (untilMs <= nowMs) return 'over';
  return days < 1 ? 'ends today' : days === 1 ? 'ends tomorrow' : `${days} days left`;
}

/** What a device shows to prove who it is, in words. */
export function proof(d: Pick<TrustedDevice, 'certificate' | 'credential' | 'state'>, nowMs: number): string {
  if (d.certificate) return `Certificate, ${ends(d.certificate.until_ms, nowMs)}`;
  if (d.credential === 'key') return 'Key of its own (CoAP)';
  if (d.credential !== 'none') return 'Certificate';
  return d.state === 'active' ? 'Nothing yet: give it a code' : d.state === 'retired' ? '–' : 'Nothing yet';
}

/** Devices that fit, those that wait for a person first. */
export function arrange(devices: TrustedDevice[], search: string, state: string): TrustedDevice[] {
  const wanted = search.trim().toLowerCase();
  const rank = (d: TrustedDevice) => STATES.indexOf(d.state as (typeof STATES)[number]);
  return devices
    .filter((d) => (!state || d.state === state) && (!wanted || `${d.id} ${d.zone} ${d.kind}`.toLowerCase().includes(wanted)))
    .sort((a, b) => rank(a) - rank(b) || a.id.localeCompare(b.id, 'en', { numeric: true }));
}

/** Devices in service whose certificate ends soon or is over, the most urgent first. */
export function expiring(devices: TrustedDevice[], nowMs: number): TrustedDevice[] {
  return devices
    .filter((d) => d.state === 'active' && d.certificate && daysUntil(d.certificate.until_ms, nowMs) < SOON_DAYS)
    .sort((a, b) => (a.certificate?.until_ms ?? 0) - (b.certificate?.until_ms ?? 0));
}
