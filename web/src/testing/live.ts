// Puts the live store into a state for tests of components.
import { serverNow, tickClock } from '../live/clock';
import { setLiveForTest } from '../live/store';

export function putLive(live: boolean): void {
  tickClock();
  setLiveForTest(live);
}
export const sampleNow = serverNow;
