// Order, filter and words of the devices table. No markup here.
import type { DeviceModel, DeviceView } from '../api/types';

export type Column = 'name' | 'link' | 'patient' | 'seen' | 'rate' | 'delay' | 'clock' | 'battery' | 'problems';
export interface DeviceOrder { by: Column; down: boolean }

const collator = new Intl.Collator('en', { numeric: true });
const LINK_ORDER: Record<string, number> = { lost: 0, silent: 1, offline: 2, online: 3 };
export const LINK_WORD: Record<string, string> = { online: 'Online', offline: 'Offline', lost: 'Lost', silent: 'Silent' };
export const CLOCK_WORD: Record<string, string> = { good: 'Good', off: 'Off, corrected', none: 'Sends no time', unknown: 'Unknown' };

export const METHOD_WORD: Record<string, string> = { synchronised: 'by the network or a signal', manual: 'by hand', none: 'it has none', unknown: 'nobody said' };
const IDENTIFIER_WORD: Record<string, string> = { UDI: 'UDI', SYSID: 'System id', BTMAC: 'Bluetooth address', PNP: 'Product id', EUI64: 'EUI-64', SNO: 'Serial number' };
export const identifierWord = (kind: string): string => IDENTIFIER_WORD[kind] ?? (kind || 'Identifier');
/** When the next calibration is due, and whether that is over. */
export const calibrationState = (m: DeviceModel): string => (m.calibration_due ? `${m.calibration_due}${m.calibration_overdue ? ': overdue' : ''}` : 'nobody said');

const KEYS: Record<Column, (d: DeviceView) => string | number> = {
  name: (d) => d.name || d.id,
  link: (d) => LINK_ORDER[d.link] ?? 4,
  patient: (d) => d.location?.name ?? d.patient?.name ?? '￿',
  seen: (d) => -(d.last_seen_ms ?? 0),
  rate: (d) => d.per_minute,
  delay: (d) => d.delay_ms ?? -1,
  clock: (d) => Math.abs(d.clock_offset_ms ?? -1),
  battery: (d) => d.battery ?? 101,
  problems: (d) => d.problems,
};

function compare(a: string | number, b: string | number): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : collator.compare(String(a), String(b));
}

/** What people enter by hand comes as a device of its own for each patient: the chart. */
export const isChart = (d: DeviceView): boolean => d.id === 'chart' || d.id.startsWith('chart-');

const place = (d: DeviceView): number => (d.standing === 'announced' ? 0 : isChart(d) ? 2 : 1);

/** Devices that fit, announced ones first (somebody has to put them on a patient), then in order; charts last. */
export function arrangeDevices(devices: DeviceView[], order: DeviceOrder, search: string, link: string): DeviceView[] {
  const wanted = search.trim().toLowerCase();
  const key = KEYS[order.by];
  return devices
    .filter((d) => (!link || d.link === link) && (!wanted || `${d.name} ${d.id} ${d.model} ${d.serial} ${d.patient?.name ?? ''} ${d.location?.name ?? ''}`.toLowerCase().includes(wanted)))
    .sort((a, b) => place(a) - place(b) || (order.down ? -1 : 1) * compare(key(a), key(b)) || collator.compare(a.id, b.id));
}

/** Whether the offset of a device's clock is worth a look. */
export const clockOff = (d: DeviceView): boolean => d.clock === 'off' || Math.abs(d.clock_offset_ms ?? 0) > 2_000;
