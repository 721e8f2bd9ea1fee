import { expect, test } from 'vitest';
import { horizon, interval, percent, trendPath } from './risks.state';

test('probabilities are put so that small ones are not none', () => {
  expect([0, 0.004, 0.034, 0.1, 0.416, 1, null].map(percent)).toEqual(['0 %', '< 1 %', '3.4 %', '10 %', '42 %', '100 %', '–']);
  expect(interval({ low: 0.02, high: 0.3 })).toBe('between 2 % and 30 %');
  expect(interval({ low: null, high: null })).toBe('');
});

test('a time ahead is in hours, a long one in days', () => {
  expect([12, 24, 48, 72, 720].map(horizon)).toEqual(['12 h', '24 h', '48 h', '3 days', '30 days']);
});

test('a trend is drawn from its first to its last point', () => {
  expect(trendPath([])).toBe('');
  const path = trendPath([[0, 0], [60_000, 0.5]]);
  expect(path).toBe('M2.0 26.0L118.0 2.0');
});
