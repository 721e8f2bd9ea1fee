// All channels of the patient, sweeping over ECG paper at true speed and height, with beats as they are found.
import { createEffect, createMemo, createSignal, For, on, onCleanup, onMount, Show, type Component } from 'solid-js';
import { api } from '../api/client';
import { useTheme } from '../app/theme';
import { serverNow } from '../live/clock';
import { timeOfDay } from '../ui/format';
import { BEATS, channelWord, KIND_COLOUR, kindOf, reasonWord, rhythmWeight, rhythmWord } from '../waves/channels';
import { openLink } from '../waves/link';
import { Pacer } from '../waves/pacer';
import { drawCalibration, drawPaper, pxPerMm, pxPerMsAt } from '../waves/paper';
import { WaveRing } from '../waves/ring';
import { Sweep, SweepTrace } from '../waves/sweep';
import { decodeStream, thinWords, type ChannelState, type WaveMessage } from '../waves/wire';
import { BEAT_ROW, drawBeat, HEAD_ROWS, scaleOf } from './draw';
import type { Strips } from './useStrips';

const POINTS = 65_536, SILENT_MS = 5_000, KEPT_BEATS = 300;
const FILL_MS = 30_000, FILL_PATIENCE_MS = 2_000, ALL_SAMPLES = 8_000;

export const LiveStrip: Component<{ strips: Strips; patient: string; onLive: (live: boolean) => void }> = (props) => {
  const s = props.strips;
  let canvas!: HTMLCanvasElement, paper!: HTMLCanvasElement;
  const theme = useTheme();
  const [live, setLive] = createSignal(false);
  const [said, setSaid] = createSignal<Record<number, ChannelState>>({});
  const [silent, setSilent] = createSignal<Record<number, number>>({});
  const [words, setWords] = createSignal<Record<number, string>>({});
  const [rhythm, setRhythm] = createSignal<{ rhythm: string; since: number } | null>(null);
  const rings = new Map<number, WaveRing>();
  const ring = (series: number) => { let r = rings.get(series); if (!r) rings.set(series, (r = new WaveRing(POINTS))); return r; };
  const pacer = new Pacer();
  let sweep: Sweep | null = null, headMs = 0;
  let beats: [number, string][] = [], drawnBeats = 0;

  /** Messages of channels whose last seconds are still being asked for; null: they have come. */
  const early = new Map<number, WaveMessage[] | null>();
  const take = (m: WaveMessage) => {
    const r = ring(m.view), newest = r.newestMs;
    if (r.push(m)) pacer.arrived(serverNow(), newest, r.newestMs);
  };
  const link = openLink({
    onLive: (now) => { setLive(now); props.onLive(now); },
    onWave: (m) => { const waiting = early.get(m.view); if (waiting) waiting.push(m); else take(m); },
    onText: (m) => {
      if (m.type === 'channel') { setSaid((old) => ({ ...old, [m.view]: m })); if (m.state === 'gone') void s.reload(); }
      if (m.type === 'rhythm' && m.patient === props.patient) setRhythm({ rhythm: m.rhythm, since: m.since_ms });
      if (m.type === 'beats' && m.patient === props.patient) hearBeats(m.beats);
    },
  });
  const hearBeats = (more: [number, string][]) => {
    const last = beats[beats.length - 1]?.[0] ?? -Infinity;
    beats.push(...more.filter(([t]) => t > last));
    if (beats.length > KEPT_BEATS) { const gone = beats.length - KEPT_BEATS; beats = beats.slice(gone); drawnBeats = Math.max(0, drawnBeats - gone); }
  };

  /** The last seconds of a channel from the store, so that the page does not begin empty; what came live meanwhile follows. */
  const fill = async (series: number) => {
    if (early.has(series)) return;
    early.set(series, []);
    const now = Math.min(serverNow(), s.channels().find((c) => c.series === series)?.live ? Infinity : s.extent()[1]);
    const bytes = await Promise.race([api.waves(props.patient, series, now - FILL_MS, now, ALL_SAMPLES), new Promise<null>((done) => window.setTimeout(() => done(null), FILL_PATIENCE_MS))]).catch(() => null);
    const r = ring(series);
    if (bytes) for (const m of decodeStream(bytes).messages) if (!m.pairs) r.push(m);
    const waiting = early.get(series) ?? [];
    early.set(series, null);
    waiting.forEach(take);
  };
  const fillBeats = () => api.beats(props.patient, serverNow() - FILL_MS, serverNow()).then((page) => {
    const first = beats[0]?.[0] ?? Infinity;
    beats = [...page.beats.filter(([t]) => t < first), ...beats];
    drawnBeats = 0;
  }, () => undefined);

  /** Lays out paper and lanes; the next frame draws all anew. */
  const layout = () => {
    const ratio = window.devicePixelRatio || 1, width = s.width(), height = s.height(), mm = pxPerMm();
    const style = getComputedStyle(document.documentElement), colour = (name: string) => style.getPropertyValue(name).trim();
    for (const c of [canvas, paper]) { c.width = Math.max(1, Math.round(width * ratio)); c.height = Math.max(1, Math.round(height * ratio)); }
    const under = paper.getContext('2d'), ctx = canvas.getContext('2d');
    if (!under || !ctx) return;
    under.setTransform(ratio, 0, 0, ratio, 0, 0);
    under.fillStyle = colour('--paper');
    under.fillRect(0, HEAD_ROWS, width, height - HEAD_ROWS);
    under.translate(0, HEAD_ROWS);
    drawPaper(under, width, height - HEAD_ROWS, mm, { thin: colour('--paper-thin'), thick: colour('--paper-thick') });
    sweep = new Sweep(ctx);
    Object.assign(sweep, { width: canvas.width, height: canvas.height, mm: mm * ratio, pxPerMs: pxPerMsAt(s.settings().speed, mm * ratio), lineWidth: 1.4 * ratio });
    let top = HEAD_ROWS;
    sweep.traces = s.shown().map((c, i) => {
      const h = s.heights()[i]!;
      const trace = new SweepTrace(ring(c.series), kindOf(c), (word) => setWords((old) => ({ ...old, [c.series]: word })), (_kind, low, middle, high, room, px) => scaleOf(c, low, middle, high, room, px, s.settings().gain));
      trace.lane = { top: (top + 1) * ratio, height: (h - 2) * ratio };
      trace.colour = colour(kindOf(c) === 'ecg' ? '--trace' : KIND_COLOUR[kindOf(c)]);
      if (kindOf(c) === 'ecg') { under.strokeStyle = colour('--ink-3'); under.lineWidth = 1.2; drawCalibration(under, 8, top - HEAD_ROWS + h - 8, mm, s.settings().gain * mm); }
      top += h;
      return trace;
    });
    drawnBeats = 0;
    s.shown().forEach((c) => void fill(c.series));
    link.watch(s.shown().map((c) => ({ view: c.series, patient: props.patient, series: c.series })), sweep.pxPerMs * 1_000);
  };

  const drawBeats = (ctx: CanvasRenderingContext2D) => {
    const ratio = window.devicePixelRatio || 1, oldest = headMs - (canvas.width - 30) / sweep!.pxPerMs;
    if (drawnBeats >= beats.length || beats[drawnBeats]![0] > headMs) return;
    const style = getComputedStyle(document.documentElement);
    ctx.save();
    ctx.textAlign = 'center';
    ctx.textBaseline = 'middle';
    for (; drawnBeats < beats.length && beats[drawnBeats]![0] <= headMs; drawnBeats++) {
      const [t, letter] = beats[drawnBeats]!;
      if (t < oldest) continue;
      ctx.fillStyle = ctx.strokeStyle = style.getPropertyValue(BEATS[letter]?.colour ?? '--ink-3').trim();
      ctx.font = letter === 'N' ? `${11 * ratio}px sans-serif` : `bold ${13 * ratio}px sans-serif`;
      ctx.fillText(letter, sweep!.xOf(t), 8 * ratio);
      drawBeat(ctx, letter, sweep!.xOf(t), 23 * ratio, 4 * ratio);
    }
    ctx.restore();
  };
  let frame = 0;
  const draw = () => {
    headMs = pacer.head(serverNow());
    if (sweep) { sweep.frame(headMs); drawBeats(canvas.getContext('2d')!); }
    frame = requestAnimationFrame(draw);
  };
  const judge = () => {
    const now = serverNow(), next: Record<number, number> = {};
    for (const c of s.shown()) {
      const newest = ring(c.series).newestMs, known = newest > -Infinity ? newest : c.live ? Infinity : c.last_ms;
      const state = said()[c.series]?.state ?? 'live';
      if (!live() || now - pacer.recordedMs - known > SILENT_MS || state !== 'live') next[c.series] = Number.isFinite(known) ? known : c.last_ms;
    }
    if (JSON.stringify(next) !== JSON.stringify(silent())) setSilent(next);
  };
  onMount(() => {
    s.sweepsWith(() => headMs || serverNow() - 1_000);
    frame = requestAnimationFrame(draw);
    void fillBeats();
    const timer = window.setInterval(judge, 1_000);
    onCleanup(() => clearInterval(timer));
  });
  // The list of channels is asked for again and again; only what changes the picture lays it out anew.
  const shape = createMemo(() => [s.width(), s.height(), s.settings().speed, s.settings().gain, theme(), pxPerMm(), ...s.shown().map((c) => c.series)].join());
  createEffect(on(shape, () => { if (s.width()) layout(); }));
  onCleanup(() => { cancelAnimationFrame(frame); link.stop(); s.sweepsWith(() => headMs); });

  const top = (i: number) => HEAD_ROWS + s.heights().slice(0, i).reduce((a, b) => a + b, 0);
  return (
    <div class="strip-live" style={{ height: `${s.height()}px` }} role="img" aria-label={`Live: ${s.shown().map(channelWord).join(', ')}`}>
      <canvas ref={paper} />
      <canvas ref={canvas} classList={{ lost: !live() }} />
      <Show when={live() && rhythm()}>{(r) => <span class={`live-rhythm w${rhythmWeight(r().rhythm)}`} style={{ top: `${BEAT_ROW}px` }}>{rhythmWord(r().rhythm)} <span>since {timeOfDay(r().since)}</span></span>}</Show>
      <For each={s.shown()}>
        {(c, i) => (
          <span class="live-lane" classList={{ dead: silent()[c.series] !== undefined }} style={{ top: `${top(i())}px`, height: `${s.heights()[i()]}px` }}>
            <span class="lane-name" style={{ color: `var(${kindOf(c) === 'ecg' ? '--trace' : KIND_COLOUR[kindOf(c)]})` }}>{channelWord(c)} <Show when={said()[c.series]?.recorded}><span class="badge-recorded">REC<span class="sr-only"> recorded, not live</span></span> </Show><span class="lane-scale">{words()[c.series] ?? ''}</span></span>
            <Show when={silent()[c.series]} fallback={
              <>
                <Show when={reasonWord(said()[c.series]?.quality)}>{(why) => <span class="lane-bad"><span aria-hidden="true">⚠ </span>{channelWord(c)}: {why()}</span>}</Show>
                <Show when={thinWords(said()[c.series])}>{(thin) => <span class="lane-thin">{thin()}</span>}</Show>
              </>
            }>{(since) => <span class="lane-bad gone">No signal since {timeOfDay(since())}</span>}</Show>
          </span>
        )}
      </For>
    </div>
  );
};
