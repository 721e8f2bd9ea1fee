import { expect, test } from 'vitest';
import type { SeriesView, TrendLine } from '../api/types';
import { sampleAlert, T0 } from '../testing/samples';
import { columns, gapAfter, gather, groupsOf, marks, nearest, shift, spanFor, tableRows, yRange, zoom } from './trends.state';

const series = (metric: string, category = 'vital'): SeriesView => ({ id: 1, metric, label: metric, name: metric, unit: '', device: 'd', channel: 0, category });
const line = (time_ms: number[], last: number[], over: Partial<TrendLine> = {}): TrendLine => ({
  metric: 'M', label: 'M', unit: '', decimals: 0, time_ms, low: last.map((v) => v - 1), high: last.map((v) => v + 1), last, reading: time_ms.map(String), doubtful: time_ms.map(() => false), limits: null, ...over,
});

test('pressures stand together, unknown metrics alone, batteries and states not at all', () => {
  const groups = groupsOf([series('MDC_GLU', 'glucose'), series('MDC_PRESS_BLD_NONINV_DIA'), series('MDC_PRESS_BLD_NONINV_SYS'), series('BATT', 'device'), series('VW_CONSCIOUSNESS')]);
  expect(groups.map((g) => [g.id, g.metrics.length])).toEqual([['nibp', 2], ['MDC_GLU', 1]]);
  const scores = [series('VW_SCORE_MEOWS', 'score'), series('VW_OBSTETRIC_STATUS'), series('VW_SCORE_NEWS2', 'score')];
  expect(groupsOf(scores).map((g) => [g.id, g.metrics])).toEqual([['score', ['VW_SCORE_NEWS2', 'VW_SCORE_MEOWS']]]);
});

test('a line is broken where nothing was measured for thrice the usual step', () => {
  const times = [0, 60_000, 120_000, 900_000].map((t) => t + T0);
  expect(gapAfter(times)).toBe(180_000);
  const [t, , , last] = columns(line(times, [1, 2, 3, 4]));
  expect(last).toEqual([1, 2, 3, null, 4]);
  expect(t[3]).toBe(T0 + 120_001);
});

test('a score holds for minutes before its line is broken', () => {
  const times = [0, 1_000, 2_000, 3_000, 303_000, 700_000].map((t) => t + T0);
  expect(columns(line(times, [1, 2, 3, 4, 5, 6], { metric: 'VW_SCORE_NEWS2' }))[3]).toEqual([1, 2, 3, 4, 5, null, 6]);
});

test.each([[[10, 20, 30], 14, 0], [[10, 20, 30], 16, 1], [[10, 20, 30], 99, 2], [[10], 5, 0], [[], 5, -1]])('nearest in %o to %i', (times, t, at) => expect(nearest(times, t)).toBe(at));

test('the vertical range takes in limits that are near, not those far away', () => {
  expect(yRange([line([1], [80], { limits: { low: 79, high: 300, source: 'policy' } })])).toEqual([78.5, 81.5]);
  expect(yRange([])).toEqual([0, 1]);
  expect(yRange([line([1], [80])], [50, 110])).toEqual([45.2, 114.8]);
});

test('zooming and moving never reach into the future', () => {
  const range = { from: T0 - 3_600_000, to: T0 };
  expect(zoom(range, 0.5, T0)).toEqual({ from: T0 - 2_700_000, to: T0 - 900_000 });
  expect(zoom(range, 2, T0)).toEqual({ from: T0 - 7_200_000, to: T0 });
  expect(shift(range, 0.5, T0)).toEqual(range);
  expect(shift(range, -1, T0)).toEqual({ from: T0 - 7_200_000, to: T0 - 3_600_000 });
});

test('table: newest first, nothing is invented where nothing was measured', () => {
  const rows = tableRows([line([T0, T0 + 60_000], [1, 2])], { from: T0 - 600_000, to: T0 + 60_000 }, 11);
  expect(rows.map((r) => r.cells[0])).toEqual([1, 0, null, null, null, null, null, null, null, null, null]);
});

test('alerts on the axis are cut to the range; open ones reach to now', () => {
  const range = { from: T0, to: T0 + 100 };
  const got = marks([sampleAlert({ raised_ms: T0 - 50, resolved_ms: T0 + 50 }), sampleAlert({ raised_ms: T0 + 80 }), sampleAlert({ raised_ms: T0 - 50, resolved_ms: T0 - 10 })], range, T0 + 100);
  expect(got.map((m) => [m.left, Math.round(m.width)])).toEqual([[0, 50], [80, 20]]);
});

test.each([[undefined, 240], [T0 - 60_000, 15], [T0 - 15 * 60_000, 15], [T0 - 16 * 60_000, 60], [T0 - 2 * 3_600_000, 240], [T0 - 90 * 3_600_000, 240]])('a span for data since %s', (first, minutes) => {
  expect(spanFor(first, T0)).toBe(minutes * 60_000);
});

test('alerts that would stand on each other are one mark, which leads to the gravest', () => {
  const at = (left: number, priority: 'low' | 'medium' | 'high') => ({ alert: sampleAlert({ priority, raised_ms: T0 + left }), left, width: 1 });
  const got = gather([at(10, 'low'), at(12, 'high'), at(13, 'low'), at(30, 'medium'), at(95, 'low'), at(99, 'low')], 5);
  expect(got.map((g) => [g.left, g.width, g.alerts.length, g.alerts[0]?.priority])).toEqual([[10, 4, 3, 'high'], [30, 1, 1, 'medium'], [95, 5, 2, 'low']]);
});
