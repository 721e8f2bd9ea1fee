import { afterEach, expect, test, vi } from 'vitest';
import { api, ApiError, url, whenUnauthorised } from '../api/client';
import { match } from './router';
import { BURSTS } from './sound';

afterEach(() => { vi.unstubAllGlobals(); });

test.each([
  ['/patients/:id', '/patients/p%2F1', { id: 'p/1' }], ['/', '/', {}], ['/alerts', '/alerts/x', null], ['/alerts/:e', '/alerts', null],
])('route %s for %s', (pattern, path, expected) => expect(match(pattern, path)).toEqual(expected));

test('queries carry only what has a value', () => expect(url('/a', { x: 1, y: null, z: '', w: 'a b' })).toBe('/api/v1/a?x=1&w=a+b'));

test('a refusal carries the server’s own words', async () => {
  vi.stubGlobal('fetch', async () => new Response('{"error":"not-found","message":"No such device."}', { status: 404 }));
  await expect(api.device('x')).rejects.toEqual(new ApiError(404, 'not-found', 'No such device.'));
});

test('an ended session is noticed wherever it happens', async () => {
  const told = vi.fn();
  whenUnauthorised(told);
  vi.stubGlobal('fetch', async () => new Response('', { status: 401 }));
  await expect(api.devices()).rejects.toBeInstanceOf(ApiError);
  expect(told).toHaveBeenCalledOnce();
});

test('bursts: ten pulses for high, three for medium, two for low; the more urgent, the sooner again', () => {
  expect([BURSTS.high, BURSTS.medium, BURSTS.low].map((b) => b?.starts_s.length)).toEqual([10, 3, 2]);
  expect(BURSTS.high!.repeat_s).toBeLessThan(BURSTS.medium!.repeat_s);
  expect(BURSTS.medium!.repeat_s).toBeLessThan(BURSTS.low!.repeat_s);
});
