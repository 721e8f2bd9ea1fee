// Whether a value may look live (TI-1). Every place that shows a value asks here.
import type { CurrentValue, ValueState } from '../api/types';
import { age } from './format';

/** From this age on, the age is written beside a value even while it still counts as present. */
const SHOW_AGE_MS = 60_000;

export interface Freshness {
  state: ValueState;
  /** `4 min` when the age has to be read; else empty. */
  age: string;
}

/** Judges `value` at `now`; without a live connection nothing is live. */
export function freshness(value: Pick<CurrentValue, 'state' | 'time_ms' | 'stale_at_ms'>, now: number, connected: boolean): Freshness {
  const old = now - value.time_ms;
  const stale = !connected || value.state === 'stale' || (value.state !== 'recorded' && now >= value.stale_at_ms);
  const state = stale ? 'stale' : value.state;
  return { state, age: stale || (old >= SHOW_AGE_MS && state !== 'recorded') ? age(old) : '' };
}

/** The words for screen readers and tooltips. */
export function stateWords(f: Freshness, flags: string[]): string {
  if (f.state === 'stale') return `stale, ${f.age} old`;
  if (f.state === 'doubtful') return `doubtful: ${flags.join(', ') || 'not believed'}`;
  if (f.state === 'recorded') return 'recorded, not live';
  return f.age ? `measured ${f.age} ago` : '';
}
