// The newest samples of one live channel: two typed arrays that are written round and round. Nothing is allocated while samples come.
import { physical, type WaveMessage } from './wire';

/** A step back in time of more than this is a corrected clock, not a repetition: the ring begins again. */
const CLOCK_JUMP_MS = 5_000;

export class WaveRing {
  private readonly t: Float64Array;
  private readonly v: Float32Array;
  private readonly mask: number;
  /** Points ever written; the newest is `end - 1`, the oldest kept is `begin`. */
  end = 0;
  /** Samples that came again or too late for their place. */
  repeated = 0;
  /** Times the clock stepped back. */
  jumps = 0;
  private lastMs = -Infinity;
  private lastStepMs = 0;

  /** Room for at least `points`. */
  constructor(points: number) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(2, points)));
    this.t = new Float64Array(size);
    this.v = new Float32Array(size);
    this.mask = size - 1;
  }

  get begin(): number { return Math.max(0, this.end - this.t.length); }
  /** Time of the newest point; −∞ while there is none. */
  get newestMs(): number { return this.lastMs; }
  timeAt(index: number): number { return this.t[index & this.mask]!; }
  /** Value at `index`; NaN is a gap. */
  valueAt(index: number): number { return this.v[index & this.mask]!; }

  private put(t: number, v: number): void {
    this.t[this.end & this.mask] = t;
    this.v[this.end & this.mask] = v;
    this.end++;
  }

  clear(): void {
    this.end = 0;
    this.lastMs = -Infinity;
  }

  /** Takes a message; returns how many of its samples were new. A hole before it becomes one NaN. */
  push(m: WaveMessage): number {
    if (m.startMs < this.lastMs - CLOCK_JUMP_MS) {
      this.clear();
      this.jumps++;
    }
    let taken = 0;
    const first = this.lastMs;
    for (let i = 0; i < m.count; i++) {
      const t = m.startMs + i * m.stepMs;
      if (t <= first) {
        this.repeated++;
        continue;
      }
      if (taken++ === 0 && this.end > 0 && t - first > 1.6 * Math.max(m.stepMs, this.lastStepMs)) this.put(t, NaN);
      if (m.pairs) {
        this.put(t, physical(m, m.raw[2 * i]!));
        this.put(t + m.stepMs / 2, physical(m, m.raw[2 * i + 1]!));
      } else this.put(t, physical(m, m.raw[i]!));
      this.lastMs = t;
    }
    if (taken) this.lastStepMs = m.stepMs;
    return taken;
  }

  /** Index of the first kept point that is not before `ms`; `end` when there is none. */
  find(ms: number): number {
    let low = this.begin, high = this.end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.timeAt(middle) < ms) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Copies the values from `ms` on, without gaps, into `into`; returns how many. */
  copySince(ms: number, into: Float32Array): number {
    let n = 0;
    for (let i = this.find(ms); i < this.end && n < into.length; i++) {
      const v = this.valueAt(i);
      if (v === v) into[n++] = v;
    }
    return n;
  }
}
