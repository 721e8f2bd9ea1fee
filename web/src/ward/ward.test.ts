import { expect, test } from 'vitest';
import { sampleScore, sampleTile, sampleValue, T0 } from '../testing/samples';
import { arrange, delta, mindLetter, neighbour, pick, pressure, SLOTS } from './ward.state';
import { sparkPath } from './Sparkline';
import { linkTrouble } from './WardTile';

const alarm = (priority: string, sounding: boolean) => ({ priority, count: 1, title: 't', episode: 'e', since_ms: T0, acknowledged: !sounding, sounding });
const names = (list: ReturnType<typeof arrange>) => list.map((t) => t.patient.id).join(' ');
const all = { unit: '', search: '' };

test('by bed: numbers count as numbers, patients without a bed come last', () => {
  const tiles = [sampleTile('10'), sampleTile('x', { location: null }), sampleTile('2')];
  expect(names(arrange(tiles, { ...all, sort: 'bed' }))).toBe('2 10 x');
});

test('by concern: priority, then untaken, then score', () => {
  const tiles = [
    sampleTile('1', { score: sampleScore({ value: 9 }) }), sampleTile('2', { alarm: alarm('medium', true) }), sampleTile('3', { alarm: alarm('high', false) }),
    sampleTile('4', { alarm: alarm('high', true) }), sampleTile('5', { score: null }),
  ];
  expect(names(arrange(tiles, { ...all, sort: 'concern' }))).toBe('4 3 2 1 5');
});

test.each([['', 'familyb', 'b'], ['West', '', 'w'], ['', '7b', 'b'], ['East', 'nobody', '']])('filter: unit "%s", search "%s"', (unit, search, expected) => {
  const tiles = [sampleTile('b'), sampleTile('w', { location: { id: 'l', unit: 'West', name: 'W1' } })];
  expect(names(arrange(tiles, { unit, search, sort: 'bed' }))).toBe(expected);
});

test.each([
  ['against an hour ago', [[T0 - 7_200_000, 1], [T0 - 3_600_000, 2], [T0, 5]], 5, 3],
  ['against the first when there is no hour', [[T0 - 60_000, 4], [T0, 5]], 5, 1],
  ['unknown with one point', [[T0, 5]], 5, null],
] as [string, [number, number][], number, number | null][])('delta %s', (_n, trend, value, expected) => expect(delta(sampleScore({ trend, value }))).toBe(expected));

test('a cell shows the present source before the better but stale one', () => {
  const hr = sampleValue({ state: 'stale' }), pr = sampleValue({ metric: 'MDC_PULS_OXIM_PULS_RATE' });
  expect(pick([hr, pr], SLOTS.rate)).toBe(pr);
  expect(pick([hr], SLOTS.rate)).toBe(hr);
  expect(pick([], SLOTS.rate)).toBeUndefined();
});

test('arterial pressure before the cuff while it is present', () => {
  const abp = sampleValue({ metric: 'MDC_PRESS_BLD_ART_ABP_SYS' }), cuff = sampleValue({ metric: 'MDC_PRESS_BLD_NONINV_SYS' });
  expect(pressure([cuff, abp])?.systolic).toBe(abp);
  expect(pressure([cuff, { ...abp, state: 'stale' }])?.systolic).toBe(cuff);
  expect(pressure([])).toBeUndefined();
});

test.each([[{ value: 2 }, 'V'], [{ value: null, text: 'alert' }, 'A'], [{ value: null, text: null }, '–']])('consciousness %o', (over, letter) => expect(mindLetter(sampleValue(over))).toBe(letter));

test.each([[0, 'ArrowRight', 1], [0, 'ArrowLeft', 0], [1, 'ArrowDown', 5], [6, 'ArrowDown', 6], [5, 'Home', 0], [0, 'End', 6], [0, 'x', null]])('from tile %i by %s', (at, key, to) => expect(neighbour(at, key, 4, 7)).toBe(to));

test('devices that do not speak are named', () => {
  expect(linkTrouble(sampleTile('1'))).toBe('');
  expect(linkTrouble(sampleTile('1', { devices: [] }))).toBe('No device');
  expect(linkTrouble(sampleTile('1', { devices: [{ id: 'd', name: 'm', link: 'lost' }] }))).toBe('Link lost');
});

test('a line needs two points', () => {
  expect(sparkPath([[0, 1]], 8)).toBe('');
  expect(sparkPath([[0, 0], [10, 8]], 8)).toBe('M2.0 14.0H58.0V2.0');
});
