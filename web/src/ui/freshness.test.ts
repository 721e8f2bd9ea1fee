import { expect, test } from 'vitest';
import { sampleValue, T0 } from '../testing/samples';
import { age, countdown, signedMs } from './format';
import { freshness } from './freshness';

test.each([
  ['a fresh value is live', {}, 1_000, true, { state: 'live', age: '' }],
  ['TI-1: it turns stale by our clock, without a message', {}, 61_000, true, { state: 'stale', age: '1 min' }],
  ['TI-1: nothing is live without a connection', {}, 1_000, false, { state: 'stale', age: '1 s' }],
  ['an old but valid value says its age', { stale_at_ms: T0 + 4 * 3_600_000 }, 19 * 60_000, true, { state: 'live', age: '19 min' }],
  ['a doubtful value stays doubtful', { state: 'doubtful' }, 1_000, true, { state: 'doubtful', age: '' }],
  ['a doubtful value that is old is stale', { state: 'doubtful' }, 70_000, true, { state: 'stale', age: '1 min' }],
  ['a recording is never live and never turns stale by age', { state: 'recorded' }, 9e9, true, { state: 'recorded', age: '' }],
] as const)('%s', (_name, over, later, connected, expected) => {
  expect(freshness(sampleValue(over), T0 + later, connected)).toEqual(expected);
});

test.each([[59_000, '59 s'], [60_000, '1 min'], [3_599_000, '59 min'], [3_600_000, '1 h'], [47 * 3_600_000, '47 h'], [48 * 3_600_000, '2 d'], [-5, '0 s']])('age of %i ms', (ms, text) => expect(age(ms)).toBe(text));
test.each([[245_000, '4:05'], [0, '0:00'], [-1, '0:00'], [3_660_000, '1 h 1 min']])('countdown of %i ms', (ms, text) => expect(countdown(ms)).toBe(text));
test.each([[-40, '−40 ms'], [1_200, '+1.2 s'], [7_200_000, '+2 h']])('difference of %i ms', (ms, text) => expect(signedMs(ms)).toBe(text));
