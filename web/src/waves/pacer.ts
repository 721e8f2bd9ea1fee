// Where the sweep is: samples come in bursts, the picture must move evenly. The head runs behind the present by what the bursts need,
// and changes its speed by a few per cent only, so nobody sees it hurry.

const MARGIN_MS = 120, LEAST_MS = 250, MOST_MS = 6_000;
/** What is older than this when it comes is played back from a recording: the sweep follows the recording's own time. */
const RECORDED_MS = 60_000, RECORDED_JUMP_MS = 5_000;
/** How much of a need that is over is forgotten each second. */
const FORGET = 0.02;
const SLEW = 0.06, JUMP_MS = 1_500;

export class Pacer {
  private needMs = 600;
  private headMs = NaN;
  private atMs = 0;

  /** How long ago what is played now was recorded; 0 for what is live. */
  recordedMs = 0;

  /** At `nowMs` samples up to `toMs` arrived; up to `newestMs` (−∞: none) there were some before. The head must be no later than these. */
  arrived(nowMs: number, newestMs: number, toMs: number): void {
    const old = nowMs - toMs;
    if (old < RECORDED_MS) this.recordedMs = 0;
    else if (Math.abs(old - this.recordedMs) > RECORDED_JUMP_MS) this.recordedMs = old;
    if (newestMs === -Infinity) return;
    const late = nowMs - this.recordedMs - newestMs + MARGIN_MS;
    if (late > this.needMs && late < MOST_MS) this.needMs = late;
  }

  /** How far behind the present the head is to be. */
  get delayMs(): number { return Math.min(MOST_MS, Math.max(LEAST_MS, this.needMs)); }

  /** The head at `nowMs`; call it once a frame. */
  head(nowMs: number): number {
    const target = nowMs - this.recordedMs - this.delayMs;
    const passed = nowMs - this.atMs;
    this.atMs = nowMs;
    const off = target - (this.headMs + passed);
    if (!(Math.abs(off) < JUMP_MS) || passed < 0) this.headMs = target;
    else this.headMs += passed + Math.max(-SLEW * passed, Math.min(SLEW * passed, off));
    this.needMs -= (this.needMs - LEAST_MS) * FORGET * Math.min(1, Math.max(0, passed / 1_000));
    return this.headMs;
  }
}
