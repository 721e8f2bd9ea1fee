// What stands on the scan page and what is to be done next. No markup here.
import type { ScanRequest, ScanResult } from '../api/types';

/** The separator that scanners put between the parts of a GS1 code. */
export const SEPARATOR = '\u001d';

export interface Scanned {
  band: string;
  device: string;
  family: string;
  birth: string;
  order: string;
}
export const EMPTY: Scanned = { band: '', device: '', family: '', birth: '', order: '' };

export type Field = 'band' | 'device' | 'second' | 'done';

/** The first thing that is still missing, in the order in which people work: both scans, then what the patient says. */
export function missing(scanned: Scanned): Field {
  if (!scanned.band.trim()) return 'band';
  if (!scanned.device.trim()) return 'device';
  if (!scanned.family.trim() && !scanned.birth) return 'second';
  return 'done';
}

/** What is sent: nothing that was left empty. */
export function request(scanned: Scanned, accept: string[]): ScanRequest {
  const text = (value: string) => value.trim() || null;
  return {
    patient_code: scanned.band.trim(),
    device_code: scanned.device.trim(),
    family: text(scanned.family),
    birth_date: text(scanned.birth),
    order_number: text(scanned.order),
    accept,
  };
}

/** A text with its separators visible, as a scanner gave it. */
export const visible = (text: string): string => text.replaceAll(SEPARATOR, '␝');

/** Whether whoever looked may go on: something stands in the way, and all of it may be accepted and was. */
export function mayGoOn(result: ScanResult, looked: string[]): boolean {
  return !result.associated && result.conflicts.length > 0 && result.conflicts.every((c) => c.may_be_accepted && looked.includes(c.code));
}

/** The next device of the same patient: who it is stays. */
export const nextDevice = (scanned: Scanned): Scanned => ({ ...scanned, device: '', order: '' });

const TODO: Record<string, string> = {
  'unknown-patient': 'Scan the wristband again. If it is the right one, the patient is not registered here: ask the admission desk.',
  identifiers: 'Ask the patient for name and date of birth and look at the wristband. If they are right, the record is wrong: have it corrected first.',
  discharged: 'Have the patient admitted; then scan again.',
  deceased: 'Check that it is the right wristband.',
  order: 'Fetch the device that the order names, or have the order changed.',
  expired: 'Use another device, and take this one out of service.',
  'on-another': 'Make sure that the other patient no longer needs it, and that it is not at their bed.',
  'same-kind': 'Take the other device off first, unless both are to measure.',
  'other-bed': 'Make sure that the device was moved here.',
};
/** What to do about something that stands in the way. */
export const whatToDo = (code: string): string => TODO[code] ?? '';
