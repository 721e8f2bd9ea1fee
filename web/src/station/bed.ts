// The moving part of one bed: rings, sweep and pacing of its two channels, and what the server says about them. The page calls `frame`.
import { createStore } from 'solid-js/store';
import type { WaveChannel } from '../api/types';
import { KIND_COLOUR, kindOf } from '../waves/channels';
import { Pacer } from '../waves/pacer';
import { CSS_PX_PER_MM, pxPerMsAt } from '../waves/paper';
import { WaveRing } from '../waves/ring';
import { Sweep, SweepTrace } from '../waves/sweep';
import type { ChannelState, WaveMessage } from '../waves/wire';

/** Room for half a minute at 500 Hz, or an hour of nothing. */
const POINTS = 16_384;
/** Height of a lane's name, above its trace. */
const LABEL_PX = 13;
/** Later than so after the newest sample the lane says that there is no signal (TI-1). */
export const SILENT_MS = 5_000;

export interface LaneState {
  channel: WaveChannel | undefined;
  /** Written beside the lane. */
  scale: string;
  said: ChannelState | null;
  /** Since when nothing has come; null while samples come. */
  silentSince: number | null;
}
export interface BedState { lanes: LaneState[]; rhythm: string; rhythmSince: number | null }

export class Bed {
  readonly state: BedState;
  private readonly set;
  private readonly rings: WaveRing[] = [];
  private sweep: Sweep | null = null;
  private pacer = new Pacer();
  private channels: (WaveChannel | undefined)[] = [];

  constructor(readonly patient: string) {
    const [state, set] = createStore<BedState>({ lanes: [], rhythm: '', rhythmSince: null });
    this.state = state;
    this.set = set;
  }

  /** Shows these channels from now on; what is kept of a channel that stays, stays. */
  show(channels: (WaveChannel | undefined)[]): void {
    if (channels.length === this.channels.length && channels.every((c, i) => c?.series === this.channels[i]?.series)) {
      channels.forEach((c, i) => this.set('lanes', i, 'channel', c));
      return;
    }
    const before = this.channels, rings = [...this.rings], lanes = [...this.state.lanes];
    this.channels = channels;
    channels.forEach((c, i) => {
      const was = c ? before.findIndex((b) => b?.series === c.series) : -1;
      this.rings[i] = (was >= 0 ? rings[was] : undefined) ?? new WaveRing(c ? POINTS : 2);
      const old = was >= 0 ? lanes[was] : undefined;
      this.set('lanes', i, { channel: c, scale: '', said: old?.said ?? null, silentSince: old ? old.silentSince : c && !c.live ? c.last_ms : null });
    });
    this.layout();
  }

  /** Draws on `canvas` from now on. */
  attach(canvas: HTMLCanvasElement): void {
    const ctx = canvas.getContext('2d');
    this.sweep = ctx && new Sweep(ctx);
  }

  /** Sets size, speed and colours, and draws anew with the next frame. `width` and `height` in CSS pixels. */
  resize(canvas: HTMLCanvasElement, width: number, height: number, speed: number): void {
    if (!this.sweep) return;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.max(1, Math.round(width * ratio));
    canvas.height = Math.max(1, Math.round(height * ratio));
    Object.assign(this.sweep, { width: canvas.width, height: canvas.height, mm: CSS_PX_PER_MM * ratio, pxPerMs: pxPerMsAt(speed, CSS_PX_PER_MM * ratio), lineWidth: 1.6 * ratio });
    this.layout();
  }

  /** Columns a second that this bed can draw. */
  get columnsPerS(): number { return (this.sweep?.pxPerMs ?? 0.1) * 1_000; }

  private layout(): void {
    const { sweep } = this;
    if (!sweep) return;
    const style = getComputedStyle(document.documentElement);
    const count = Math.max(1, this.channels.length), height = sweep.height / count, label = LABEL_PX * (sweep.mm / CSS_PX_PER_MM);
    sweep.traces = this.channels.flatMap((c, i) => {
      if (!c) return [];
      const trace = new SweepTrace(this.rings[i]!, kindOf(c), (word) => this.set('lanes', i, 'scale', word));
      trace.lane = { top: i * height + label, height: height - label - 2 };
      trace.colour = style.getPropertyValue(KIND_COLOUR[kindOf(c)]).trim();
      return [trace];
    });
    sweep.redraw();
  }

  take(lane: number, message: WaveMessage, nowMs: number): void {
    const ring = this.rings[lane];
    if (!ring) return;
    const newest = ring.newestMs;
    if (ring.push(message)) this.pacer.arrived(nowMs, newest, ring.newestMs);
  }

  hear(said: ChannelState, lane: number): void {
    if (this.state.lanes[lane]) this.set('lanes', lane, 'said', said);
  }
  rhythm(rhythm: string, since: number): void {
    this.set({ rhythm, rhythmSince: since });
  }

  /** Once a second: which lanes have fallen silent. Without a connection all have. */
  judge(nowMs: number, connected: boolean): void {
    this.rings.forEach((ring, i) => {
      const lane = this.state.lanes[i];
      if (!lane?.channel) return;
      const newest = ring.newestMs > -Infinity ? ring.newestMs : lane.channel.live ? Infinity : lane.channel.last_ms;
      const silent = !connected || nowMs - this.pacer.recordedMs - newest > SILENT_MS || (!!lane.said && lane.said.state !== 'live');
      const since = silent ? (Number.isFinite(newest) ? newest : lane.channel.last_ms) : null;
      if (lane.silentSince !== since) this.set('lanes', i, 'silentSince', since);
    });
  }

  frame(nowMs: number): void {
    this.sweep?.frame(this.pacer.head(nowMs));
  }
}
