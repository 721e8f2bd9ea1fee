import { expect, test } from 'vitest';
import { parameters, type AuditRow } from './audit.api';
import { about, deed, facts, NOTHING } from './audit.state';

const row: AuditRow = {
  n: 7, at_ms: 0, actor: 'ada', role: 'nurse', action: 'see-patients', route: '/api/v1/ward', subject: null, patients: [], outcome: 'allowed',
  detail: '', object: '', request: 'r1', source: '10.0.0.9', purpose: '', client: '', session: '', factor: '', policies: [],
};

test('records read in plain words', () => {
  expect(deed(row)).toBe('looked at patients');
  expect(deed({ ...row, action: 'add-user' })).toBe('added an account');
  expect(deed({ ...row, action: 'some-day' })).toBe('some day');
  expect(about({ ...row, subject: 'p-1' })).toBe('p-1');
  expect(about({ ...row, patients: ['p-1', 'p-2'] })).toBe('2 patients');
  expect(about({ ...row, object: 'monitor-7' })).toBe('monitor-7');
  expect(facts(row).map(([name]) => name)).toEqual(['Account', 'Role', 'From', 'Route', 'Request']);
});

test('days are whole', () => {
  const { from_ms, until_ms } = parameters({ ...NOTHING, from: '2026-11-21', until: '2026-11-21' });
  expect(until_ms! - from_ms!).toBe(24 * 3_600_000);
  expect(parameters(NOTHING).from_ms).toBeNull();
});
