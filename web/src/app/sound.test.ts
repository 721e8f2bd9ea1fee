import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { setServerTime, serverNow } from '../live/clock';
import { pausedUntil, pauseSound, PAUSE_MS, soundBlocked, soundOff, soundOn, startSound } from './sound';

const node = () => ({ connect: (to: unknown) => to, setPeriodicWave() {}, start: vi.fn(), stop() {}, frequency: { value: 0 }, gain: { setValueAtTime() {}, linearRampToValueAtTime() {} } });
let state = 'running';
class Audio {
  onstatechange = () => {};
  currentTime = 0;
  destination = {};
  get state() { return state; }
  resume = async () => {};
  createPeriodicWave() { return {}; }
  createOscillator() { return node(); }
  createGain() { return node(); }
}

beforeEach(() => vi.stubGlobal('AudioContext', Audio));
afterEach(() => { soundOff(); vi.unstubAllGlobals(); });

test('off until somebody turns it on; paused for two minutes; a click ends the pause', async () => {
  setServerTime(Date.now());
  expect(soundOn()).toBe(false);
  await startSound();
  expect([soundOn(), soundBlocked(), pausedUntil()]).toEqual([true, false, null]);
  pauseSound();
  expect(soundOn()).toBe(true);
  expect((pausedUntil() ?? 0) - serverNow()).toBeGreaterThan(PAUSE_MS - 5_000);
  await startSound();
  expect(pausedUntil()).toBeNull();
  soundOff();
  expect(soundOn()).toBe(false);
});

test('a browser that plays nothing is said to be blocked', async () => {
  state = 'suspended';
  await startSound();
  expect(soundBlocked()).toBe(true);
  state = 'running';
  await startSound();
  expect(soundBlocked()).toBe(false);
});
