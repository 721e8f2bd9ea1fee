// A strip of the past on ECG paper: drag to scroll, calipers to measure.
import { createEffect, createMemo, createSignal, onCleanup, Show, type Component } from 'solid-js';
import { useTheme } from '../app/theme';
import { serverNow } from '../live/clock';
import { exactTime, timeOfDay } from '../ui/format';
import { BEATS, channelWord, reasonWord, rhythmWord, unitWord } from '../waves/channels';
import { msOf, pxPerMm, pxPerMsAt, xOf } from '../waves/paper';
import { measure, measureWords, within } from './calipers';
import { drawStrip, HEAD_ROWS, laneScale, type StripLane } from './draw';
import { beatSummary } from './strips.state';
import { valueAt } from './stretches';
import type { Strips } from './useStrips';

const AHEAD_MS = 500, FOLLOW_MS = 2_000;

export const StillStrip: Component<{ strips: Strips; from: number }> = (props) => {
  let canvas!: HTMLCanvasElement;
  const theme = useTheme();
  const [tick, setTick] = createSignal(0);
  const s = props.strips;
  const axis = createMemo(() => ({ fromMs: props.from, pxPerMs: pxPerMsAt(s.settings().speed, pxPerMm()) }));
  const to = () => props.from + s.span();
  const lanes = createMemo<StripLane[]>(() => {
    s.loaded();
    tick();
    const from = props.from, end = to(), mm = pxPerMm();
    let top = HEAD_ROWS;
    return s.shown().map((channel, i) => {
      const height = s.heights()[i]!;
      const stretches = s.source().samples(channel.series, from - AHEAD_MS, end + AHEAD_MS);
      const lane = { channel, stretches, known: s.source().known(channel.series, from, end), top, height, scale: laneScale(channel, stretches, from, end, height, mm, s.settings().gain) };
      top += height;
      return lane;
    });
  });
  const marks = createMemo(() => { tick(); return s.marks(); });

  let frame = 0;
  const draw = () => {
    frame = 0;
    const ctx = canvas.getContext('2d'), ratio = window.devicePixelRatio || 1, width = s.width(), height = s.height();
    if (!ctx || !width) return;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    const style = getComputedStyle(document.documentElement);
    drawStrip(ctx, {
      width, height, mm: pxPerMm(), axis: axis(), toMs: to(), lanes: lanes(), marks: marks(), gain: s.settings().gain, nowMs: Math.min(serverNow() - 3_000, s.extent()[1]), colour: (name) => style.getPropertyValue(name).trim(), chosen: s.calipers() ? s.chosen() : -1,
      alerts: s.alerts().map((a) => ({ ms: a.raised_ms, word: a.title, priority: a.priority })),
    });
  };
  createEffect(() => {
    [lanes(), marks(), axis(), theme(), s.width(), s.height(), s.calipers() !== null, s.chosen(), s.alerts()];
    if (!frame) frame = requestAnimationFrame(draw);
  });
  // What reaches into the present is still growing.
  const follow = window.setInterval(() => { if (to() > serverNow() - 20_000) setTick((n) => n + 1); }, FOLLOW_MS);
  onCleanup(() => { cancelAnimationFrame(frame); clearInterval(follow); });

  let grip: { x: number; from: number; id: number } | null = null;
  const x = (e: PointerEvent) => e.clientX - canvas.getBoundingClientRect().left;
  const down = (e: PointerEvent) => {
    if (e.button !== 0) return;
    const y = e.clientY - canvas.getBoundingClientRect().top;
    const lane = lanes().findIndex((l) => y >= l.top && y < l.top + l.height);
    if (lane >= 0) s.setChosen(lane);
    grip = { x: x(e), from: props.from, id: e.pointerId };
    canvas.setPointerCapture(e.pointerId);
    if (s.calipers()) { const at = msOf(axis(), x(e)); s.setCalipers({ a: at, b: at }); }
  };
  const drag = (e: PointerEvent) => {
    if (!grip) return;
    const c = s.calipers();
    if (c) s.setCalipers({ a: c.a, b: within(msOf(axis(), x(e)), props.from, to()) });
    else s.look(grip.from - (x(e) - grip.x) / axis().pxPerMs);
  };
  const drop = () => { grip = null; };
  const wheel = (e: WheelEvent) => {
    const by = Math.abs(e.deltaX) > Math.abs(e.deltaY) ? e.deltaX : e.shiftKey ? e.deltaY : 0;
    if (!by) return;
    e.preventDefault();
    s.look(props.from + by / axis().pxPerMs);
  };
  const words = () => {
    const m = marks(), from = props.from, end = to();
    const inside = <T extends { from_ms: number; to_ms: number }>(list: T[]) => list.filter((i) => i.to_ms > from && i.from_ms < end);
    const bad = inside(m.quality).map((q) => { const c = s.shown().find((l) => l.series === q.series); return c ? `${channelWord(c)} ${reasonWord(q.reason)}` : ''; }).filter(Boolean);
    const rhythms = [...new Set(inside(m.rhythms).map((r) => rhythmWord(r.rhythm)))];
    return `${s.shown().map(channelWord).join(', ')} from ${exactTime(from)} to ${timeOfDay(end)}; ${rhythms.length ? `rhythm ${rhythms.join(', ')}; ` : ''}${beatSummary(m.beats.filter(([t]) => t >= from && t < end), (l) => BEATS[l]?.word ?? l)}${bad.length ? `; ${bad.join(', ')}` : ''}`;
  };
  return (
    <div class="strip-still" style={{ height: `${s.height()}px` }}>
      <canvas ref={canvas} class={s.calipers() ? 'measuring' : 'sliding'} role="img" aria-label={words()} onPointerDown={down} onPointerMove={drag} onPointerUp={drop} onPointerCancel={drop} onWheel={wheel} />
      <Show when={s.calipers()}><CaliperLayer strips={s} lanes={lanes()} fromMs={props.from} toMs={to()} pxPerMs={axis().pxPerMs} /></Show>
    </div>
  );
};

const CaliperLayer: Component<{ strips: Strips; lanes: StripLane[]; fromMs: number; toMs: number; pxPerMs: number }> = (props) => {
  const c = () => props.strips.calipers()!;
  const lane = () => props.lanes[Math.min(props.strips.chosen(), props.lanes.length - 1)];
  const left = (ms: number) => xOf({ fromMs: props.fromMs, pxPerMs: props.pxPerMs }, ms);
  const words = () => { const l = lane(); return l ? measureWords(measure(c(), (ms) => valueAt(l.stretches, ms)), unitWord(l.channel.unit)) : ''; };
  const key = (which: 'a' | 'b') => (e: KeyboardEvent) => {
    const px = (e.shiftKey ? 10 : 1) / props.pxPerMs;
    const by = { ArrowLeft: -px, ArrowRight: px, PageUp: -20 * px, PageDown: 20 * px }[e.key];
    const lanes = props.lanes.length;
    if (e.key === 'ArrowUp' || e.key === 'ArrowDown') props.strips.setChosen((props.strips.chosen() + (e.key === 'ArrowUp' ? lanes - 1 : 1)) % lanes);
    else if (by === undefined && e.key !== 'Home' && e.key !== 'End') return;
    else props.strips.setCalipers({ ...c(), [which]: within(e.key === 'Home' ? props.fromMs : e.key === 'End' ? props.toMs : c()[which] + by!, props.fromMs, props.toMs) });
    e.preventDefault();
    e.stopPropagation();
  };
  const Cursor: Component<{ which: 'a' | 'b' }> = (p) => {
    const move = (e: PointerEvent & { currentTarget: HTMLElement }) => {
      if (!e.currentTarget.hasPointerCapture(e.pointerId)) return;
      const box = e.currentTarget.parentElement!.parentElement!.getBoundingClientRect();
      props.strips.setCalipers({ ...c(), [p.which]: within(props.fromMs + (e.clientX - box.left) / props.pxPerMs, props.fromMs, props.toMs) });
    };
    return (
      <span class="cursor" style={{ left: `${left(c()[p.which])}px` }}>
        <span class="cursor-grip" role="slider" tabindex="0" aria-label={p.which === 'a' ? 'First cursor' : 'Second cursor'} aria-valuemin={0} aria-valuemax={Math.round(props.toMs - props.fromMs)}
          aria-valuenow={Math.round(c()[p.which] - props.fromMs)} aria-valuetext={`${timeOfDay(c()[p.which])}, ${words()}`} onKeyDown={key(p.which)} onPointerMove={move} onPointerDown={(e) => e.currentTarget.setPointerCapture(e.pointerId)}>{p.which.toUpperCase()}</span>
      </span>
    );
  };
  return (
    <div class="calipers">
      <Cursor which="a" />
      <Cursor which="b" />
      <span class="caliper-span" style={{ left: `${left(Math.min(c().a, c().b))}px`, width: `${Math.abs(left(c().b) - left(c().a))}px` }} />
      <output class="caliper-words" style={{ left: `${Math.max(0, Math.min(left(Math.min(c().a, c().b)) + 6, props.strips.width() - 260))}px` }}><b>{words()}</b> <span>{lane() ? channelWord(lane()!.channel) : ''}</span></output>
    </div>
  );
};
