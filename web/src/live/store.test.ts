import { beforeEach, expect, test, vi } from 'vitest';
import type { LiveEvent } from '../api/types';
import { sampleAlert, sampleScore, sampleTile, sampleValue, T0 } from '../testing/samples';
import { apply, openAlerts, putAlert, take, ward } from './store';

beforeEach(() => {
  vi.stubGlobal('fetch', vi.fn(async () => new Response('{"alerts":[],"total":0,"position":0,"items":[],"by_kind":[]}')));
  apply({ type: 'ward', now_ms: T0, position: 1, units: ['East'], tiles: [sampleTile('1'), sampleTile('2')] });
});

test('a whole ward replaces the one before', () => {
  apply({ type: 'ward', now_ms: T0, position: 2, units: ['East'], tiles: [sampleTile('2')] });
  expect(ward.order).toEqual(['2']);
  expect(ward.tiles['1']).toBeUndefined();
});

test('a tile changes what changed and nothing else', () => {
  const before = ward.tiles['2'];
  const values = ward.tiles['1']?.values[0];
  apply({ type: 'tile', ...sampleTile('1', { values: [sampleValue({ value: 91 })] }) });
  expect(ward.tiles['1']?.values[0]?.value).toBe(91);
  expect(ward.tiles['1']?.values[0]).toBe(values);
  expect(ward.tiles['2']).toBe(before);
});

test('an unchanged score trend is kept as it is', () => {
  const trend: [number, number][] = [[T0, 1], [T0 + 1, 2]];
  apply({ type: 'tile', ...sampleTile('1', { score: sampleScore({ trend }) }) });
  const kept = ward.tiles['1']?.score?.trend;
  apply({ type: 'tile', ...sampleTile('1', { score: sampleScore({ trend: [...trend] }) }) });
  expect(ward.tiles['1']?.score?.trend).toBe(kept);
});

test('a patient who left is gone', () => {
  apply({ type: 'gone', patient: '1' });
  expect(ward.order).toEqual(['2']);
});

test('an older state of an alert does not undo a newer one', () => {
  putAlert(sampleAlert({ episode: 'x', changed_ms: T0 + 5, state: 'acknowledged' }));
  putAlert(sampleAlert({ episode: 'x', changed_ms: T0, state: 'raised' }));
  expect(openAlerts().find((a) => a.episode === 'x')?.state).toBe('acknowledged');
});

test('tiles that wait are drawn before anything that came after them', () => {
  const frame = (event: LiveEvent) => ({ event: event.type, id: '', data: JSON.stringify(event) });
  take(frame({ type: 'tile', ...sampleTile('1', { values: [sampleValue({ value: 99 })] }) }));
  expect(ward.tiles['1']?.values[0]?.value).toBe(80);
  take(frame({ type: 'gone', patient: '1' }));
  expect(ward.tiles['1']).toBeUndefined();
  expect(ward.order).toEqual(['2']);
});
