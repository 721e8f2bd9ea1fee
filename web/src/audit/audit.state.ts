// Records in plain words.
import { ROLE_WORD } from '../privacy/words';
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
  ['Configuration', 'manage-policy,look-into-model,manage-profiles,manage-retention,application-start,application-stop'],
  ['Followed live over MQTT', 'follow-readings'],
  ['The audit log itself', 'see-audit,audit-recovered,audit-rotated,audit-archived,audit-key,witness-contradicts,journal-head'],
];

const WORDS: Record<string, string> = {
  'see-patients': 'looked at patients', 'act-on-alerts': 'acted on an alert', 'set-limits': 'set limits', associate: 'put a device on a patient, or took it off',
  'read-fhir': 'read over FHIR', 'write-fhir': 'wrote over FHIR', 'send-readings': 'sent readings', 'follow-readings': 'followed readings over MQTT',
  'see-minimised': 'looked at beds without names', 'see-deidentified': 'looked at research data', 'see-own-record': 'looked at the own record',
  'manage-own-consent': 'changed an own consent', 'see-consents': 'looked at consents', 'manage-consents': 'changed consents or the care team',
  'export-person': 'exported a whole record', 'erase-person': 'erased a person', 'manage-retention': 'changed how long data are kept',
  'use-break-glass': 'opened in an emergency, or ended that', 'review-access': 'reviewed emergency accesses',
  'see-devices': 'looked at devices', 'manage-devices': 'changed a device', 'add-device': 'added a device', 'remove-device': 'removed a device',
  'see-security': 'looked at trust and security events', 'manage-trust': 'changed trust in a device', 'manage-firmware': 'changed firmware or campaigns',
  'mqtt-connect': 'connected over MQTT', 'mllp-connect': 'connected over MLLP', 'unknown-device': 'a device that is not known', 'wrong-zone': 'came from the wrong zone',
  'see-quarantine': 'looked into quarantine', 'release-quarantine': 'released from quarantine', 'manage-profiles': 'changed device profiles',
  'see-policy': 'looked at the alert policy', 'manage-policy': 'changed the alert policy', 'see-policy-decisions': 'asked what the access policy decides', 'see-metrics': 'read the metrics', 'see-burden': 'looked at what alarms cost', 'look-into-model': 'looked into a risk model',
  'manage-users': 'managed accounts', 'add-user': 'added an account', 'remove-user': 'removed an account', 'set-password': 'set a password', 'add-token': 'made a token',
  'manage-clients': 'managed applications', 'unknown-client': 'an application that is not known', login: 'logged in', logout: 'logged out', 'set-up': 'set up the first account',
  setup: 'set up the first account', 'unknown-caller': 'came without valid credentials', 'foreign-page': 'was sent by another site’s page',
  'see-audit': 'looked at the audit log', 'audit-recovered': 'found the log not as it was left', 'audit-rotated': 'began a new file of the log', 'audit-archived': 'put old records away',
  'audit-key': 'changed the key of the log', 'witness-contradicts': 'a witness contradicts the log', 'journal-head': 'noted where the journal ends',
  'application-start': 'the program started', 'application-stop': 'the program stopped',
};

/** How it went, in words. */
export const OUTCOME_WORD: Record<string, string> = { allowed: 'Allowed', denied: 'Refused', failed: 'Failed' };

/** HL7's PurposeOfUse, in words. */
const PURPOSE_WORD: Record<string, string> = {
  TREAT: 'treatment', ETREAT: 'emergency treatment', BTG: 'emergency treatment', HOPERAT: 'running the hospital', HRESCH: 'research', FAMRQT: 'family and caregivers', PATRQT: 'the patient’s own request', SYSADMIN: 'administration',
};
const PROOF_WORD: Record<string, string> = { password: 'password', totp: 'password and app', passkey: 'passkey', recovery: 'password and recovery code', token: 'token', certificate: 'certificate' };
const inWords = (words: Record<string, string>, code: string): string => (code ? (words[code] ?? code) : '');

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
    ['Account', row.actor], ['Role', row.role && (ROLE_WORD[row.role] ?? row.role)], ['Program', row.client], ['Proved by', inWords(PROOF_WORD, row.factor)], ['Session', row.session], ['From', row.source],
    ['Patient', row.subject], ['In the answer', row.patients.join(', ')], ['Done to', row.object], ['Route', row.route],
    ['Purpose', inWords(PURPOSE_WORD, row.purpose)], ['Decided by rule', row.policies.join(', ')], ['Request', row.request], ['More', row.detail],
  ];
  return all.filter((pair): pair is [string, string] => !!pair[1]);
}
