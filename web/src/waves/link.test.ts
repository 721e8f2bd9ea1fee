import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { encodeWave } from '../testing/waves';
import { openLink, SILENCE_MS } from './link';

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => { vi.useRealTimers(); });

/** Sockets that the test plays the server of. */
function server() {
  const sockets: { sent: string[]; say: (x: unknown) => void; drop: () => void; closed: boolean }[] = [];
  const open = () => {
    const sent: string[] = [];
    const socket = { readyState: 1, binaryType: '', sent, send: (t: string) => sent.push(t), close: () => { mine.closed = true; } } as unknown as WebSocket;
    const mine = { sent, closed: false, say: (x: unknown) => socket.onmessage?.({ data: x instanceof ArrayBuffer ? x : JSON.stringify(x) } as MessageEvent), drop: () => socket.onclose?.({} as CloseEvent) };
    sockets.push(mine);
    window.setTimeout(() => socket.onopen?.({} as Event), 0);
    return socket;
  };
  return { sockets, open };
}

function play() {
  const s = server();
  const live: boolean[] = [], waves: number[] = [], texts: string[] = [];
  const link = openLink({ open: s.open, onLive: (l) => { if (live[live.length - 1] !== l) live.push(l); }, onWave: (m) => waves.push(m.view), onText: (m) => texts.push(m.type) });
  return { ...s, live, waves, texts, link };
}

test('says what it wants, tells what it has seen, hands out samples', () => {
  const p = play();
  p.link.watch([{ view: 3, patient: 'p', series: 12 }], 94.4);
  vi.advanceTimersByTime(1);
  const s = p.sockets[0]!;
  s.say({ type: 'time', now_ms: 5 });
  s.say(encodeWave({ view: 3, raw: [1] }));
  s.say(new ArrayBuffer(3));
  expect(s.sent.map((t) => JSON.parse(t) as unknown)).toContainEqual({ type: 'watch', channels: [{ view: 3, patient: 'p', series: 12 }], columns_per_s: 95 });
  expect(s.sent).toContain('{"type":"seen","ms":5}');
  expect([p.waves, p.texts, p.link.broken(), p.live]).toEqual([[3], ['time'], 1, [true]]);
  p.link.stop();
});

test('the same list is not sent twice; that what is seen will be told is said first', () => {
  const p = play();
  vi.advanceTimersByTime(1);
  for (let i = 0; i < 3; i++) p.link.watch([{ view: 0, patient: 'p', series: 1 }], 100);
  expect(p.sockets[0]!.sent.map((t) => (JSON.parse(t) as { type: string }).type)).toEqual(['seen', 'watch']);
  p.link.stop();
});

test('TI-1: silence ends being live; the link comes back and asks again', () => {
  const p = play();
  p.link.watch([{ view: 0, patient: 'p', series: 1 }], 100);
  vi.advanceTimersByTime(1);
  p.sockets[0]!.say({ type: 'time', now_ms: 5 });
  vi.advanceTimersByTime(SILENCE_MS + 10);
  expect([p.live, p.sockets[0]!.closed]).toEqual([[true, false], true]);
  vi.advanceTimersByTime(400);
  expect(p.sockets[1]!.sent.map((t) => (JSON.parse(t) as { type: string }).type)).toEqual(['seen', 'watch']);
  p.sockets[1]!.say({ type: 'time', now_ms: 9 });
  expect(p.live).toEqual([true, false, true]);
  p.link.stop();
  vi.advanceTimersByTime(20_000);
  expect(p.sockets.length).toBe(2);
});

test('a dropped socket is opened again, ever more slowly', () => {
  const p = play();
  for (let i = 0; i < 6; i++) {
    p.sockets[p.sockets.length - 1]!.drop();
    vi.advanceTimersByTime(4_001);
  }
  expect(p.sockets.length).toBe(7);
  p.link.stop();
});
