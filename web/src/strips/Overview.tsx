// The hours behind the strip: lowest and highest of the lead ECG, alerts, and where the strip is. One jumps from here.
import { createEffect, createMemo, createSignal, For, on, onCleanup, Show, type Component } from 'solid-js';
import { api } from '../api/client';
import type { Alert } from '../api/types';
import { useTheme } from '../app/theme';
import { nowCoarseMs, serverNow } from '../live/clock';
import { AlarmShape, PRIORITY_WORD } from '../ui/AlarmMark';
import { hourMinute, timeOfDay } from '../ui/format';
import { channelWord, leadEcg } from '../waves/channels';
import { decodeStream } from '../waves/wire';
import { columnsOf, toStretch, type Stretch } from './stretches';
import { overviewColumns, RANGES, rangeFor } from './strips.state';
import type { Strips } from './useStrips';

/** As in `strips.css`. */
const HEIGHT = 56;

export const Overview: Component<{ strips: Strips; patient: string }> = (props) => {
  const s = props.strips;
  let canvas!: HTMLCanvasElement;
  const theme = useTheme();
  const [picked, setPicked] = createSignal(0);
  const [stretches, setStretches] = createSignal<Stretch[]>([]);
  const lead = createMemo(() => leadEcg(s.channels()), undefined, { equals: (a, b) => a?.series === b?.series });
  const end = createMemo(() => { nowCoarseMs(); return Math.max(s.extent()[1], (s.from() ?? 0) + s.span()); });
  const range = () => picked() || rangeFor(Math.min(s.extent()[0], s.from() ?? Infinity), end());
  const begin = () => end() - range();
  const pct = (ms: number) => (100 * (ms - begin())) / range();

  let running: AbortController | undefined;
  const load = async () => {
    const c = lead(), width = s.width();
    if (!c || !width) return;
    running?.abort();
    const mine = (running = new AbortController());
    const bytes = await api.waves(props.patient, c.series, begin(), end(), overviewColumns(width, range()), mine.signal).catch(() => null);
    if (bytes) setStretches(decodeStream(bytes).messages.map(toStretch));
  };
  createEffect(on([lead, range, () => Math.round(s.width() / 100), () => Math.floor(end() / 60_000)], () => void load()));
  onCleanup(() => running?.abort());

  createEffect(() => {
    const width = s.width(), ratio = window.devicePixelRatio || 1, from = begin(), to = end(), list = stretches();
    theme();
    const ctx = canvas.getContext('2d');
    if (!ctx || !width) return;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(HEIGHT * ratio);
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    const columns = overviewColumns(width, to - from), wide = width / columns, both = columnsOf(list, from, to, columns), style = getComputedStyle(document.documentElement);
    const sorted = both.filter((v) => v === v).sort();
    const low = sorted[Math.floor(sorted.length * 0.01)] ?? -1, high = Math.max(low + 0.1, sorted[Math.floor(sorted.length * 0.99)] ?? 1);
    const y = (v: number) => Math.max(2, Math.min(HEIGHT - 14, HEIGHT - 16 - ((v - low) / (high - low)) * (HEIGHT - 20)));
    ctx.fillStyle = style.getPropertyValue('--wave-ecg').trim();
    for (let x = 0; x < columns; x++) {
      const a = both[2 * x]!, b = both[2 * x + 1]!;
      if (a === a && b === b) ctx.fillRect(x * wide, y(b), Math.max(1, wide - 0.5), Math.max(1, y(a) - y(b)));
    }
    ctx.fillStyle = style.getPropertyValue('--ink-3').trim();
    ctx.font = '10px sans-serif';
    const every = [60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000].find((ms) => (ms * width) / range() > 70) ?? 14_400_000;
    for (let t = Math.ceil(from / every) * every; t < to; t += every) {
      const x = Math.round(((t - from) / range()) * width);
      ctx.fillRect(x, HEIGHT - 12, 1, 4);
      ctx.fillText(hourMinute(t), x + 3, HEIGHT - 2);
    }
  });

  const jump = (e: PointerEvent) => {
    if (e.type === 'pointermove' && !(e.currentTarget as HTMLElement).hasPointerCapture(e.pointerId)) return;
    const box = (e.currentTarget as HTMLElement).getBoundingClientRect();
    if (e.type === 'pointerdown') (e.currentTarget as HTMLElement).setPointerCapture(e.pointerId);
    s.look(begin() + ((e.clientX - box.left) / box.width) * range() - s.span() / 2);
  };
  const at = () => s.from() ?? serverNow() - s.span();
  const key = (e: KeyboardEvent) => {
    const by = { ArrowLeft: -60_000, ArrowRight: 60_000, ArrowDown: -60_000, ArrowUp: 60_000, PageDown: -600_000, PageUp: 600_000 }[e.key];
    if (by === undefined) return;
    e.preventDefault();
    e.stopPropagation();
    s.look(at() + (e.shiftKey ? 10 : 1) * by);
  };
  const alerts = () => s.alerts().filter((a) => a.raised_ms >= begin() && a.raised_ms <= end());
  return (
    <div class="overview">
      <div class="overview-head">
        <span>{lead() ? channelWord(lead()!) : 'No waveform'}, lowest to highest</span>
        <span class="grow" />
        <div class="segments small" role="group" aria-label="Hours of the overview">
          <For each={RANGES}>{([ms, word]) => <button type="button" aria-pressed={range() === ms} onClick={() => setPicked(ms)}>{word}</button>}</For>
        </div>
      </div>
      <div class="overview-box">
        <canvas ref={canvas} aria-hidden="true" />
        <div class="overview-hit" role="slider" tabindex="0" aria-label="Time of the strip" aria-valuemin={0} aria-valuemax={Math.round(range() / 1_000)} aria-valuenow={Math.round(Math.max(0, at() - begin()) / 1_000)} aria-valuetext={s.live() ? 'live' : timeOfDay(at())}
          onPointerDown={jump} onPointerMove={jump} onKeyDown={key} />
        <Show when={!s.live()}><span class="overview-here" style={{ left: `${pct(at())}%`, width: `${Math.max(0.2, (100 * s.span()) / range())}%` }} /></Show>
        <For each={s.holds().filter((h) => h.to_ms > begin() && h.from_ms < end())}>{(h) => <span class="overview-kept" title={`Kept for ever: ${h.reason}`} style={{ left: `${pct(h.from_ms)}%`, width: `${(100 * (h.to_ms - h.from_ms)) / range()}%` }} />}</For>
        <ul class="overview-alerts" aria-label="Alerts">
          <For each={alerts()}>{(a: Alert) => (
            <li style={{ left: `${pct(a.raised_ms)}%` }}>
              <button type="button" title={`${a.title}, ${timeOfDay(a.raised_ms)}`} onClick={() => s.look(a.raised_ms - s.span() / 2)}>
                <AlarmShape priority={a.priority} /><span class="sr-only">{PRIORITY_WORD[a.priority]}: {a.title}, {timeOfDay(a.raised_ms)}</span>
              </button>
            </li>
          )}</For>
        </ul>
      </div>
    </div>
  );
};
