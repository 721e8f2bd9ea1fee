// A sweep as bedside monitors draw it: the newest samples appear at a head that runs from left to right over the picture of the sweep
// before, behind a bar that erases. Only what is new is drawn; nothing is allocated in a frame.
import { fit, spread, type Scale } from './scale';
import type { Kind } from './channels';
import type { WaveRing } from './ring';

/** Width of what is erased ahead of the head. */
export const BAR_PX = 16;
/** After a hole longer than this the scale is chosen anew. */
const FIT_MS = 6_000;
/** What moves less than this part of what it moved lately is drawn smaller. */
const LEAST_PART = 0.15, FORGET = 0.97;
const scratch = new Float32Array(8_192);

/** A horizontal band of the canvas, in pixels of the canvas. */
export interface Lane { top: number; height: number }

/** One trace of a sweep. */
export class SweepTrace {
  scale: Scale | null = null;
  colour = '#000';
  lane: Lane = { top: 0, height: 1 };
  /** Index in the ring of the next point to draw. */
  next = 0;
  private widest = 0;

  /** `onScale` hears when the scale changes, to write it beside the lane; `choose` gives the scale for what was measured. */
  constructor(readonly ring: WaveRing, public kind: Kind, private readonly onScale: (word: string) => void = () => {}, private readonly choose: typeof fit = fit) {}

  /** Chooses the scale from what was measured in the seconds before `ms`. Called when a sweep begins, so that no sweep has two. */
  rescale(ms: number, mm: number): void {
    const n = this.ring.copySince(ms - FIT_MS, scratch);
    if (n < 20) return;
    const { low, middle, high } = this.widened(spread(scratch, n));
    const next = this.choose(this.kind, low, middle, high, this.lane.height, mm);
    if (next.word !== this.scale?.word) this.onScale(next.word);
    this.scale = next;
  }

  /** A signal that has gone leaves noise: that is not drawn as high as the signal was. What was seen is forgotten slowly. */
  private widened(s: ReturnType<typeof spread>): ReturnType<typeof spread> {
    this.widest = Math.max(s.high - s.low, this.widest * FORGET);
    const missing = (this.widest * LEAST_PART - (s.high - s.low)) / 2;
    return this.kind === 'ecg' || missing <= 0 ? s : { low: s.low - missing, middle: s.middle, high: s.high + missing };
  }

  yOf(value: number): number {
    const { top, height } = this.lane;
    const y = top + height / 2 - (value - this.scale!.centre) * this.scale!.pxPerUnit;
    return y < top ? top : y > top + height ? top + height : y;
  }
}

/** The sweep of all traces of one canvas: they share one head, so they are synchronised. */
export class Sweep {
  /** Pixels of the canvas. */
  width = 1;
  height = 1;
  pxPerMs = 0.1;
  /** Pixels of the canvas a millimetre. */
  mm = 4;
  lineWidth = 1.5;
  traces: SweepTrace[] = [];
  private drawnTo = NaN;

  constructor(private readonly ctx: CanvasRenderingContext2D) {}

  /** Position of a time: the picture repeats every `width` pixels. */
  xOf(ms: number): number {
    return (ms * this.pxPerMs) % this.width;
  }
  /** Which sweep a time belongs to. */
  private lap(ms: number): number {
    return Math.floor((ms * this.pxPerMs) / this.width);
  }

  /** Forgets what was drawn: the next frame draws the whole picture again. */
  redraw(): void {
    this.drawnTo = NaN;
    for (const trace of this.traces) trace.scale = null;
  }

  /** Time at the oldest end of the picture when the head is at `head`. */
  private oldest(head: number): number {
    return head - (this.width - BAR_PX) / this.pxPerMs;
  }

  /** Draws up to `head`. */
  frame(head: number): void {
    const whole = !(head - this.drawnTo < this.width / this.pxPerMs) || head < this.drawnTo;
    if (whole) {
      this.ctx.clearRect(0, 0, this.width, this.height);
      this.drawnTo = this.oldest(head);
      for (const trace of this.traces) trace.next = trace.ring.find(this.drawnTo);
    } else this.erase(this.drawnTo, head);
    const begins = whole || this.lap(head) !== this.lap(this.drawnTo);
    for (const trace of this.traces) {
      if (begins || !trace.scale) trace.rescale(head, this.mm);
      if (trace.scale) this.draw(trace, head);
    }
    this.drawnTo = head;
  }

  /** Clears what the bar has passed between two heads. */
  private erase(from: number, to: number): void {
    const x = this.xOf(from) + BAR_PX, width = (to - from) * this.pxPerMs;
    const left = Math.floor(x % this.width), right = Math.ceil(left + width + 1);
    this.ctx.clearRect(left, 0, Math.min(right, this.width) - left, this.height);
    if (right > this.width) this.ctx.clearRect(0, 0, right - this.width, this.height);
  }

  /** Draws the points of one trace that are new and not after `head`. */
  private draw(trace: SweepTrace, head: number): void {
    const { ring } = trace;
    // The ring began anew after a jump of the clock.
    if (trace.next > ring.end) trace.next = ring.find(this.oldest(head));
    let i = Math.max(trace.next, ring.begin);
    if (i >= ring.end || ring.timeAt(i) > head) return;
    const { ctx } = this;
    const oldest = this.oldest(head);
    ctx.beginPath();
    ctx.strokeStyle = trace.colour;
    ctx.lineWidth = this.lineWidth;
    // A pointed join would reach above an R wave.
    ctx.lineJoin = 'round';
    let open = false, lap = 0;
    // The line goes on from the last point drawn before, unless that lies in another sweep.
    if (i > ring.begin && ring.timeAt(i - 1) >= oldest) i--;
    for (; i < ring.end; i++) {
      const t = ring.timeAt(i), v = ring.valueAt(i);
      if (t > head) break;
      if (v !== v || t < oldest) { open = false; continue; }
      const at = this.lap(t), x = this.xOf(t), y = trace.yOf(v);
      if (open && at === lap) ctx.lineTo(x, y);
      else ctx.moveTo(x, y);
      open = true;
      lap = at;
    }
    ctx.stroke();
    trace.next = i;
  }
}
