// Names for people of what the server calls by short words.
import type { Access } from './privacy.api';

export const CATEGORY_WORD: Record<string, string> = {
  demographics: 'Name, birth date, place', 'vital-signs': 'Vital signs', waveforms: 'Waveforms', alerts: 'Alerts', 'device-data': 'Devices', documents: 'Documents',
};

export const ROLE_WORD: Record<string, string> = {
  nurse: 'Nurse', 'charge-nurse': 'Charge nurse', physician: 'Physician', pharmacist: 'Pharmacist', engineer: 'Clinical engineer', operations: 'Operations',
  'security-officer': 'Security officer', researcher: 'Researcher', patient: 'Patient', caregiver: 'Caregiver', administrator: 'Administrator', service: 'Program',
};

export const REASON_WORD: Record<string, string> = {
  emergency: 'Life or limb in danger', alarm: 'Alarm or device', cover: 'Covering', consult: 'Asked to help', other: 'Other',
};

export const PURPOSE_CHOICES: [string, string][] = [['', 'any purpose'], ['TREAT', 'treatment'], ['HRESCH', 'research'], ['HOPERAT', 'running the hospital'], ['FAMRQT', 'family and caregivers']];

/** A line of the report as one sentence for screen readers and phones. */
export const accessWords = (access: Access): string =>
  `${access.what}${access.times > 1 ? `, ${access.times} times` : ''}${access.outcome === 'seen' ? '' : ` (${access.outcome})`}`;
