// Records in plain words.
import type { AuditRow, Filters } from './audit.api';

export const NOTHING: Filters = { actor: '', patient: '', action: '', outcome: '', from: '', until: '' };

/** What can be looked for, and the deeds behind it. */
export const DEEDS: [name: string, actions: string][] = [
  ['Anything', ''],
  ['Patients looked at', 'see-patients,read-fhir,see-minimised,see-deidentified,see-own-record'],
  ['Alerts acted on', 'act-on-alerts'],
  ['Limits set', 'set-limits'],
  ['Emergency access', 'use-break-glass,review-access'],
  ['Consents and exports', 'see-consents,manage-consents,manage-own-consent,export-person,erase-person'],
  ['Logins and logouts', 'login,logout,unknown-caller,set-up'],
  ['Accounts and rights', 'manage-users,add-user,remove-user,set-password,add-token,manage-clients'],
  ['Devices', 'associate,manage-devices,add-device,remove-device,mqtt-connect,mllp-connect,manage-trust,manage-firmware'],
  ['Configuration', 'manage-policy,manage-profiles,manage-retention,application-start,application-stop'],
  ['Followed live over MQTT', 'follow-readings'],
  ['The audit log itself', 'see-audit,audit-recovered,audit-rotated,audit-archived,audit-key,witness-contradicts,journal-head'],
];

const WORDS: Record<string, string> = {
  'see-patients': 'looked at patients', 'read-fhir': 'read over FHIR', 'write-fhir': 'wrote over FHIR', 'act-on-alerts': 'acted on an alert',
  'set-limits': 'set limits', associate: 'put a device on a patient', 'see-devices': 'looked at devices', 'manage-devices': 'changed a device',
  'see-quarantine': 'looked into quarantine', 'manage-policy': 'changed the alert policy', 'see-audit': 'looked at the audit log',
  'follow-readings': 'followed readings over MQTT', 'use-break-glass': 'opened in an emergency', 'journal-head': 'noted where the journal ends',
  'unknown-caller': 'came without valid credentials', 'application-start': 'the program started', 'application-stop': 'the program stopped',
  'audit-recovered': 'found the log not as it was left', 'witness-contradicts': 'a witness contradicts the log',
};

/** What was done. */
export const deed = (row: AuditRow): string => WORDS[row.action] ?? row.action.replaceAll('-', ' ');

/** About whom or what. */
export function about(row: AuditRow): string {
  if (row.subject) return row.subject;
  if (row.patients.length === 1) return row.patients[0] ?? '';
  if (row.patients.length) return `${row.patients.length} patients`;
  return row.object;
}

/** What of a record is to be shown beside the table, as pairs. */
export function facts(row: AuditRow): [string, string][] {
  const all: [string, string | null][] = [
    ['Account', row.actor], ['Role', row.role], ['Program', row.client], ['Proved by', row.factor], ['Session', row.session], ['From', row.source],
    ['Patient', row.subject], ['In the answer', row.patients.join(', ')], ['Done to', row.object], ['Route', row.route],
    ['Purpose', row.purpose], ['Decided by', row.policies.join(', ')], ['Request', row.request], ['More', row.detail],
  ];
  return all.filter((pair): pair is [string, string] => !!pair[1]);
}
