import { expect, test } from 'vitest';
import { sampleDevice, T0 } from '../testing/samples';
import { arrangeDevices, clockOff, type Column } from './devices.state';

const devices = [
  sampleDevice('mon-10', { link: 'lost', battery: 20, last_seen_ms: T0 - 9_000, problems: 3 }),
  sampleDevice('mon-2', { battery: 80, per_minute: 5, delay_ms: 900 }),
  sampleDevice('band', { standing: 'announced', clock_offset_ms: -90_000, clock: 'off' }),
];
const order = (by: Column, down = false, search = '', link = '') => arrangeDevices([...devices], { by, down }, search, link).map((d) => d.id).join(' ');

test.each([
  ['name', false, 'band mon-2 mon-10'], ['name', true, 'band mon-10 mon-2'], ['link', false, 'band mon-10 mon-2'], ['battery', false, 'band mon-10 mon-2'],
  ['seen', true, 'band mon-10 mon-2'], ['rate', false, 'band mon-2 mon-10'], ['delay', true, 'band mon-2 mon-10'], ['problems', true, 'band mon-10 mon-2'],
] as [Column, boolean, string][])('announced first, then by %s (down: %s)', (by, down, expected) => expect(order(by, down)).toBe(expected));

test('charts come last, whatever the order', () => {
  const list = [sampleDevice('chart-p-1'), sampleDevice('zz'), sampleDevice('new', { standing: 'announced' })];
  expect(arrangeDevices(list, { by: 'name', down: false }, '', '').map((d) => d.id)).toEqual(['new', 'zz', 'chart-p-1']);
});

test('search and link', () => {
  expect(order('name', false, 'mon')).toBe('mon-2 mon-10');
  expect(order('name', false, '', 'lost')).toBe('mon-10');
});

test('a clock that is off is seen', () => expect(devices.map(clockOff)).toEqual([false, false, true]));
