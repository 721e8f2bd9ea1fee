import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { connect, SILENCE_MS } from './connection';

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => { vi.useRealTimers(); });

/** A stream that the test writes to, and the headers of each request for it. */
function server() {
  const asked: Record<string, string>[] = [];
  let sink: ReadableStreamDefaultController<Uint8Array>;
  const fetcher = vi.fn(async (_url: unknown, init: RequestInit) => {
    asked.push(init.headers as Record<string, string>);
    const body = new ReadableStream<Uint8Array>({ start(c) { sink = c; } });
    init.signal?.addEventListener('abort', () => { try { sink.error(new Error('aborted')); } catch { /* closed already */ } });
    return { ok: true, status: 200, body } as unknown as Response;
  });
  return { asked, fetcher: fetcher as unknown as typeof fetch, send: (text: string) => sink.enqueue(new TextEncoder().encode(text)), end: () => sink.close() };
}

const settle = () => vi.advanceTimersByTimeAsync(1);

test('a cut stream is taken up where it stopped', async () => {
  const s = server();
  const live: boolean[] = [];
  const stop = connect({ url: '/live', fetcher: s.fetcher, onFrame: () => {}, onLive: (l) => live.push(l), onUnauthorised: () => {} });
  await settle();
  s.send('event: time\nid: 41\ndata: {}\n\n');
  await settle();
  s.end();
  await vi.advanceTimersByTimeAsync(400);
  expect(live).toEqual([true, false]);
  expect(s.asked.map((h) => h['last-event-id'])).toEqual([undefined, '41']);
  stop();
});

test('TI-1: silence ends being live even while the connection stands', async () => {
  const s = server();
  const live: boolean[] = [];
  const stop = connect({ url: '/live', fetcher: s.fetcher, onFrame: () => {}, onLive: (l) => live.push(l), onUnauthorised: () => {} });
  await settle();
  s.send('data: {}\n\n');
  await settle();
  await vi.advanceTimersByTimeAsync(SILENCE_MS + 100);
  expect(live).toEqual([true, false]);
  stop();
});

test('a session that has ended is told and not retried', async () => {
  const fetcher = vi.fn(async () => ({ ok: false, status: 401 }) as Response);
  const told = vi.fn();
  connect({ url: '/live', fetcher: fetcher as unknown as typeof fetch, onFrame: () => {}, onLive: () => {}, onUnauthorised: told });
  await vi.advanceTimersByTimeAsync(20_000);
  expect(told).toHaveBeenCalledOnce();
  expect(fetcher).toHaveBeenCalledOnce();
});
