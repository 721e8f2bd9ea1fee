import { describe, expect, test } from 'vitest';
import type { OwnNormal } from '../api/types';
import { bandAt, movingText, rangeText, stateText, usualText } from './ownNormal.state';

const normal: OwnNormal = {
  metric: 'MDC_ECG_HEART_RATE', name: 'Heart rate', unit: '/min', decimals: 0, state: 'known', apply: 'tighten', usual: { centre: 78.2, low: 66, high: 90 },
  hours: [], hour: 3, began_ms: 0, periods: 48, periods_needed: 12, warm_up_h: 4, half_life_h: 8, change: null, trend_per_h: null,
  policy_low: 40, policy_high: 130, low_bound: 40, high_bound: 130, by: '', reason: '',
};
const HOUR = 3_600_000;

describe('own normal', () => {
  test('is told in words', () => {
    expect(usualText(normal)).toBe('78 (66–90)');
    expect(stateText(normal)).toBe('limits follow');
    expect(stateText({ ...normal, state: 'learning', usual: null })).toBe('learning: 48 of 12 periods, at least 4 h');
    expect(stateText({ ...normal, state: 'paused', by: 'kim' })).toBe('paused by kim');
    expect(movingText(normal)).toBe('');
    expect(movingText({ ...normal, change: { up: false, since_ms: 0 }, trend_per_h: 1.25 })).toBe('level changed ↓, trend rising 1.3 an hour');
  });

  test('its band is that of the hour of the place', () => {
    const hours = Array.from({ length: 24 }, (_, h) => ({ centre: h, low: h - 1, high: h + 1 }));
    const now = 1000 * HOUR + 5;
    expect(bandAt(normal, now, now)?.centre).toBe(78.2);
    expect(bandAt({ ...normal, hours }, now, now)?.centre).toBe(3);
    expect(bandAt({ ...normal, hours }, now - 4 * HOUR, now)?.centre).toBe(23);
    expect(bandAt({ ...normal, usual: null }, now, now)).toBeNull();
  });

  test('ranges', () => {
    const change = { at_ms: 0, metric: 'm', name: 'M', event: 'widened', low: 48, high: null, why: '', by: 'system' };
    expect(rangeText(change)).toBe('≥ 48');
    expect(rangeText({ ...change, low: null })).toBe('none');
  });
});
