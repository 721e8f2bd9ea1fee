import { expect, test } from 'vitest';
import { sampleAlert, T0 } from '../testing/samples';
import { escalationLeft, reasonLine, reasons, roleWord, stateText, worklist } from './alerts.state';

test('worklist: priority, then what sounds, then the oldest; resolved ones are not on it', () => {
  const list = [
    sampleAlert({ episode: 'low', priority: 'low' }), sampleAlert({ episode: 'acked', priority: 'high', state: 'acknowledged', raised_ms: T0 - 9 }),
    sampleAlert({ episode: 'latched', priority: 'high', state: 'latched' }), sampleAlert({ episode: 'young', priority: 'high' }),
    sampleAlert({ episode: 'old', priority: 'high', raised_ms: T0 - 5 }), sampleAlert({ episode: 'done', priority: 'high', state: 'resolved' }),
  ];
  expect(worklist(list).map((a) => a.episode)).toEqual(['old', 'young', 'latched', 'acked', 'low']);
});

test.each([
  [{ escalates_ms: T0 + 245_000 }, /nurse’s turn, escalates in 4:05/],
  [{}, /^nurse’s turn$/],
  [{ state: 'acknowledged', taken_by: 'M. Reyes', quiet_until_ms: T0 }, /acknowledged by M\. Reyes until \d\d:\d\d/],
  [{ state: 'snoozed', taken_by: 'M. Reyes' }, /snoozed by M\. Reyes/],
  [{ state: 'latched' }, /reset it/],
  [{ state: 'resolved', resolved_ms: T0 }, /resolved \d\d:\d\d/],
])('state %o', (over, text) => expect(stateText(sampleAlert(over), T0)).toMatch(text));

test('the rest of the time until escalation', () => {
  expect(escalationLeft(sampleAlert({ escalates_ms: T0 + 300_000 }), T0 + 150_000)).toBe(0.5);
  expect(escalationLeft(sampleAlert({ escalates_ms: T0 + 300_000 }), T0 + 400_000)).toBe(0);
  expect(escalationLeft(sampleAlert({ state: 'acknowledged', escalates_ms: T0 }), T0)).toBeNull();
});

test('a reason is told condition by condition, the title not twice', () => {
  const reason = 'Early-warning score high (NEWS2 >= 7): NEWS2 9: RR 7 /min (+3), SpO2 73.5 % (+3). Shock index high (SI ≥ 1 and (SYS < 100 or ABPs < 100) for 30 s): SI 1.39';
  expect(reasons({ reason })).toEqual([
    { what: 'Early-warning score high', rule: 'NEWS2 >= 7', values: 'NEWS2 9: RR 7 /min (+3), SpO2 73.5 % (+3)' },
    { what: 'Shock index high', rule: 'SI ≥ 1 and (SYS < 100 or ABPs < 100) for 30 s', values: 'SI 1.39' },
  ]);
  expect(reasonLine({ reason, title: 'Early-warning score high' })).toBe('NEWS2 9: RR 7 /min (+3), SpO2 73.5 % (+3) · Shock index high: SI 1.39');
  expect(reasons({ reason: 'Heart rate low: HR 38 /min (80 2 min ago)' })).toEqual([{ what: 'Heart rate low', rule: '', values: 'HR 38 /min (80 2 min ago)' }]);
  expect(reasonLine({ reason: 'm-1 has sent nothing for 64 s', title: 'No data from device' })).toBe('m-1 has sent nothing for 64 s');
});

test.each([['charge-nurse', 'charge nurse'], ['', '–'], ['porter', 'porter']])('role %s', (role, word) => expect(roleWord(role)).toBe(word));
