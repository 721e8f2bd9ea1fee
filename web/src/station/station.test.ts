import { expect, test } from 'vitest';
import { sampleTile } from '../testing/samples';
import { encodeWave, heartbeat, sampleChannel } from '../testing/waves';
import { decodeWave } from '../waves/wire';
import { Bed, SILENT_MS } from './bed';
import { bedsOf, columnsOf, pageOf, pagesOf, pickTwo, readView, USUAL } from './station.state';

const tiles = ['10', '2', '1'].map((id) => sampleTile(id)).concat(sampleTile('w', { location: { id: 'x', unit: 'West', name: 'W1' } }));
const names = (list: ReturnType<typeof bedsOf>) => list.map((t) => t.patient.id).join(' ');

test.each([
  ['all, by bed', { unit: '', beds: [] }, '1 2 10 w'], ['a unit', { unit: 'West', beds: [] }, 'w'], ['chosen beds', { unit: '', beds: ['10', '1'] }, '1 10'],
  ['chosen beds that have all left', { unit: '', beds: ['gone'] }, '1 2 10 w'],
])('beds: %s', (_n, view, expected) => expect(names(bedsOf([...tiles], view))).toBe(expected));

test('beds without waveforms are shown only when they are chosen, or when nobody has any', () => {
  const mixed = [sampleTile('1', { waves: true }), sampleTile('2'), sampleTile('3', { waves: true })];
  expect(names(bedsOf(mixed, { unit: '', beds: [] }))).toBe('1 3');
  expect(names(bedsOf(mixed, { unit: '', beds: ['2'] }))).toBe('2');
});

test.each([[['a', 'b', 'c', 'd', 'e'], 4, 0, 'abcd'], [['a', 'b', 'c', 'd', 'e'], 4, 1, 'e'], [['a'], 4, 9, 'a'], [[], 4, 0, '']])('page of %o by %i, page %i', (list, density, page, expected) => {
  expect(pageOf(list as string[], density, page).join('')).toBe(expected);
});
test('pages', () => expect([pagesOf(0, 16), pagesOf(16, 16), pagesOf(17, 16)]).toEqual([1, 1, 2]));

test.each([[16, 16, 1440, 4], [16, 16, 390, 1], [32, 32, 1920, 6], [4, 4, 1440, 2], [1, 16, 1440, 1], [3, 16, 1440, 3]])('%i beds of %i at %i px: %i columns', (count, density, width, expected) => {
  expect(columnsOf(count, density, width)).toBe(expected);
});

const ecg = sampleChannel(1), v5 = sampleChannel(2, { metric: 'MDC_ECG_ELEC_POTL_V5' }), pleth = sampleChannel(3, { metric: 'MDC_PULS_OXIM_PLETH' }), abp = sampleChannel(4, { metric: 'MDC_PRESS_BLD_ART_ABP' });
test.each([
  ['pressure before pleth', [ecg, v5, pleth, abp], 'ecg', 'auto', [1, 4]], ['pleth without pressure', [ecg, v5, pleth], 'ecg', 'auto', [1, 3]],
  ['two leads', [ecg, v5, pleth], 'ecg', 'ecg', [1, 2]], ['what is left', [pleth], 'ecg', 'auto', [3, undefined]], ['the live lead', [{ ...ecg, live: false }, v5], 'ecg', 'auto', [2, 1]],
] as const)('two waveforms: %s', (_n, channels, first, second, expected) => expect(pickTwo([...channels], first, second).map((c) => c?.series)).toEqual(expected));

test.each([[null, USUAL], ['nonsense', USUAL], ['{"density":7,"speed":"x","first":"brain"}', USUAL], ['{"density":4,"speed":6.25,"beds":["a",3]}', { ...USUAL, density: 4, speed: 6.25, beds: ['a'] }]])('what was kept: %s', (text, expected) => {
  expect(readView(text)).toEqual(expected);
});

test('TI-1: a lane says since when nothing comes, and at once when the connection is gone', () => {
  const bed = new Bed('p');
  bed.show([ecg, undefined]);
  bed.take(0, decodeWave(encodeWave({ startMs: 10_000, raw: heartbeat(250, 4) }))!, 11_000);
  const newest = 10_000 + 249 * 4;
  bed.judge(newest + SILENT_MS - 1, true);
  expect(bed.state.lanes[0]!.silentSince).toBeNull();
  bed.judge(newest + SILENT_MS + 1, true);
  expect(bed.state.lanes[0]!.silentSince).toBe(newest);
  bed.take(0, decodeWave(encodeWave({ startMs: 16_500, raw: heartbeat(10, 4) }))!, 17_000);
  bed.judge(17_000, true);
  expect(bed.state.lanes[0]!.silentSince).toBeNull();
  bed.judge(17_000, false);
  expect(bed.state.lanes[0]!.silentSince).toBe(16_536);
  bed.hear({ view: 0, state: 'silent', quality: 'good', index: 0, thinned: 1, why: null }, 0);
  bed.judge(17_000, true);
  expect(bed.state.lanes[0]!.silentSince).toBe(16_536);
});

test('a channel that moves to the other lane keeps its samples', () => {
  const bed = new Bed('p');
  bed.show([ecg, pleth]);
  bed.take(0, decodeWave(encodeWave({ startMs: 10_000, raw: [1, 2, 3] }))!, 10_100);
  bed.show([{ ...ecg, quality: 'noise' }, pleth]);
  expect(bed.state.lanes[0]!.channel?.quality).toBe('noise');
  bed.show([pleth, ecg]);
  bed.judge(10_000 + SILENT_MS + 100, true);
  expect(bed.state.lanes[1]!.silentSince).toBe(10_008);
});
