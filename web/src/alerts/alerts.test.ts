import { expect, test } from 'vitest';
import { sampleAlert, T0 } from '../testing/samples';
import { escalationLeft, stateText, worklist } from './alerts.state';

test('worklist: priority, then what sounds, then the oldest; resolved ones are not on it', () => {
  const list = [
    sampleAlert({ episode: 'low', priority: 'low' }), sampleAlert({ episode: 'acked', priority: 'high', state: 'acknowledged', raised_ms: T0 - 9 }),
    sampleAlert({ episode: 'latched', priority: 'high', state: 'latched' }), sampleAlert({ episode: 'young', priority: 'high' }),
    sampleAlert({ episode: 'old', priority: 'high', raised_ms: T0 - 5 }), sampleAlert({ episode: 'done', priority: 'high', state: 'resolved' }),
  ];
  expect(worklist(list).map((a) => a.episode)).toEqual(['old', 'young', 'latched', 'acked', 'low']);
});

test.each([
  [{ escalates_ms: T0 + 245_000 }, /nurse’s turn; goes on in 4:05/],
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
