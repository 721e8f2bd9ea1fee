import { expect, test } from 'vitest';
import { condition, contact, gap, sends, waiting } from './edges.state';
import type { EdgeView } from './fleet.api';

const NOW = 1_800_000_000_000;
const EDGE: EdgeView = {
  id: 'ward-7', name: 'Ward 7', state: 'online', registered_ms: NOW - 9e6, enrolled_ms: NOW - 8e6, heard_ms: NOW - 2_000, clock_ahead_ms: 12,
  version: '0.2.0', centre_version: '0.2.0', age: 'same', spool_pieces: 0, spool_bytes: 0, spool_bytes_max: 1_000, oldest_ms: null, memory_bytes: 3e7,
  delivered: 12, devices: 3, open_alerts: 1, configured: true, refused: [], started_ms: NOW - 8e6, token_since_ms: NOW - 8e6, certificate_since_ms: null,
  rules: { waveforms: 'all', around_alerts_s: 60, around_priority: 'low', numerics_every_s: 0 },
};

test.each([
  [{}, 'Heard 2 s ago. 3 devices through it, 1 open alert.'],
  [{ devices: 0 }, 'Heard 2 s ago. No device was heard through it yet.'],
  [{ state: 'silent', heard_ms: NOW - 7_200_000 }, /^Last heard .*, 2 h ago\. It alarms by itself/],
  [{ state: 'waits', heard_ms: null }, /^Waits for its code/],
])('contact: %o', (change, text) => {
  expect(contact({ ...EDGE, ...change }, NOW).text).toMatch(text);
});

test.each([
  [{}, 'All that it took in is here.'],
  [{ spool_pieces: 1, spool_bytes: 30, oldest_ms: NOW - 61_000 }, '1 message on the way here, the oldest for 1 min; 3 % of its storage used.'],
  [{ state: 'silent', spool_pieces: 12, spool_bytes: 900, oldest_ms: NOW - 61_000 }, '12 messages waited there when it was last heard, the oldest for 1 min; 90 % of its storage used.'],
])('waiting: %o', (change, text) => {
  expect(waiting({ ...EDGE, ...change }, NOW).text).toBe(text);
});

test('what is as it should be is not spoken of, what is not wants somebody', () => {
  expect(condition(EDGE)).toEqual([]);
  const lines = condition({ ...EDGE, configured: false, refused: ['the policy is not understood and the one before stays in force: line 3'], clock_ahead_ms: -90_000, age: 'older', version: '0.1.0' });
  expect(lines.map((one) => one.text)).toEqual([
    'The edge refused part of its configuration. The policy is not understood and the one before stays in force: line 3.',
    'Its clock is 1 min behind; times are corrected here.',
    "Version 0.1.0 is older than this centre's (0.2.0): update the edge.",
  ]);
  expect(condition({ ...EDGE, configured: false })[0]?.text).toMatch(/not in force there yet/);
});

test.each([
  [EDGE.rules, 'Sends every value and all waveforms. Alerts are always sent.'],
  [{ ...EDGE.rules, waveforms: 'around-alerts', around_priority: 'high', numerics_every_s: 15 },
    'Sends a value of each metric every 15 s and no waveforms; all waveforms from 60 s before to 60 s after alerts of high priority and every value for 60 s after them. Alerts are always sent.'],
])('rules in words', (rules, text) => {
  expect(sends(rules)).toBe(text);
});

test('what was left out says why', () => {
  expect(gap({ class: 'waveforms', reason: 'rule', pieces: 12 })).toBe('12 messages with waveforms not sent: its rules ask for less.');
});
