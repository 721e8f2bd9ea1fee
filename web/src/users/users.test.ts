import { expect, test } from 'vitest';
import { browserOf } from '../account/SessionsCard';
import type { User } from '../session/calls';
import { fits, reach, roleWord } from './users.state';

const user: User = {
  name: 'ada', role: 'charge-nurse', kind: 'person', units: ['ICU', '4 West'], patient: null, disabled: false, provided: false,
  added_ms: null, used_ms: null, expires_ms: null, totp: false, passkeys: 0, sessions: 0,
};

test('an account is found by name, role and unit', () => {
  for (const [search, found] of [['', true], ['ADA', true], ['charge n', true], ['4 west', true], ['bob', false]] as const) {
    expect(fits(user, search), search).toBe(found);
  }
});

test('whose patients an account works with', () => {
  expect(reach(user)).toBe('ICU, 4 West');
  expect(reach({ ...user, units: null })).toBe('The whole house');
  expect(reach({ ...user, patient: 'p-1' })).toBe('Own record');
  expect(roleWord('security-officer')).toBe('Security officer');
});

test('browsers are called as people know them', () => {
  expect(browserOf('Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36')).toBe('Chrome on Linux');
  expect(browserOf('')).toBe('Unknown');
});
