// Words and filter of the users page. No markup here.
import { ROLE_WORD } from '../privacy/words';
import type { User } from '../session/calls';

/** Every role, as the server names it. */
export const ROLES = [
  'nurse', 'charge-nurse', 'physician', 'pharmacist', 'engineer', 'operations', 'security-officer', 'researcher', 'administrator',
  'patient', 'caregiver', 'service',
] as const;

/** A role as people say it. */
export const roleWord = (role: string): string => ROLE_WORD[role] ?? role;

/** Whose patients an account works with. */
export const reach = (u: User): string => (u.patient ? 'Own record' : u.units ? u.units.join(', ') || 'No unit' : 'The whole house');

export function fits(u: User, search: string): boolean {
  const wanted = search.trim().toLowerCase();
  return !wanted || `${u.name} ${roleWord(u.role)} ${u.role} ${u.kind} ${reach(u)}`.toLowerCase().includes(wanted);
}
