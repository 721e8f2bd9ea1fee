// The seconds around an alert, small: the lead ECG and a pulse, at half speed and half height. Leads to the whole strip.
import { createEffect, createMemo, createResource, createSignal, onCleanup, onMount, Show, type Component } from 'solid-js';
import { api } from '../api/client';
import type { Alert } from '../api/types';
import { useTheme } from '../app/theme';
import { serverNow } from '../live/clock';
import { exactTime } from '../ui/format';
import { arrangeChannels, channelWord, kindOf, leadEcg } from '../waves/channels';
import { pxPerMm, pxPerMsAt } from '../waves/paper';
import { drawStrip, HEAD_ROWS, laneScale, TIME_ROW } from './draw';
import { stripSource } from './source';

const SPEED = 12.5, GAIN = 5, LANE_MM = 16, FOLLOW_MS = 2_000;
/** So much of the strip lies before the alert. */
const BEFORE = 0.65;

const AlertStrip: Component<{ alert: Alert; patient: string }> = (props) => {
  let box!: HTMLDivElement, canvas!: HTMLCanvasElement;
  const theme = useTheme();
  const [width, setWidth] = createSignal(0);
  const [loaded, setLoaded] = createSignal(0);
  const [list] = createResource(() => props.patient, (p) => api.waveforms(p).then((l) => l.channels, () => []));
  const source = stripSource(props.patient, () => setLoaded((n) => n + 1));
  const timer = window.setInterval(() => { if (to() > serverNow() - 20_000) setLoaded((n) => n + 1); }, FOLLOW_MS);
  onCleanup(() => { clearInterval(timer); source.close(); });
  onMount(() => {
    const seen = new ResizeObserver(() => setWidth(Math.floor(box.clientWidth)));
    seen.observe(box);
    onCleanup(() => seen.disconnect());
  });
  const perMs = () => pxPerMsAt(SPEED, pxPerMm());
  const from = () => props.alert.raised_ms - (width() / perMs()) * BEFORE;
  const to = () => from() + width() / perMs();
  // Only what was there at the time: a channel that began later has nothing to show.
  const channels = createMemo(() => {
    const there = arrangeChannels((list() ?? []).filter((c) => c.first_ms < to() && c.last_ms > from()));
    const lead = leadEcg(there), pulse = there.find((c) => c !== lead && ['abp', 'pleth'].includes(kindOf(c)));
    return [lead, pulse].filter((c) => c !== undefined);
  });
  const height = () => HEAD_ROWS + TIME_ROW + channels().length * LANE_MM * pxPerMm();
  createEffect(() => {
    loaded();
    theme();
    const ctx = canvas.getContext('2d'), ratio = window.devicePixelRatio || 1, mm = pxPerMm();
    if (!ctx || width() < 50 || !channels().length) return;
    canvas.width = Math.round(width() * ratio);
    canvas.height = Math.round(height() * ratio);
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    const style = getComputedStyle(document.documentElement);
    const lanes = channels().map((channel, i) => {
      const stretches = source.samples(channel.series, from(), to());
      return { channel, stretches, known: source.known(channel.series, from(), to()), top: HEAD_ROWS + i * LANE_MM * mm, height: LANE_MM * mm, scale: laneScale(channel, stretches, from(), to(), LANE_MM * mm, mm, GAIN) };
    });
    const { title, priority, raised_ms } = props.alert;
    drawStrip(ctx, {
      width: width(), height: height(), mm, axis: { fromMs: from(), pxPerMs: perMs() }, toMs: to(), lanes, marks: source.marks(from(), to()), gain: GAIN, nowMs: serverNow() - 3_000, chosen: -1,
      alerts: [{ ms: raised_ms, word: title, priority }], colour: (name) => style.getPropertyValue(name).trim(),
    });
  });
  return (
    <div ref={box} class="alert-strip" hidden={!channels().length}>
      <canvas ref={canvas} style={{ height: `${height()}px` }} role="img" aria-label={`${channels().map(channelWord).join(' and ')} around ${exactTime(props.alert.raised_ms)}`} />
      <Show when={channels().length}>
        <p class="row"><a class="btn small" href={`/patients/${encodeURIComponent(props.patient)}/waves?at=${props.alert.raised_ms}`}>All waveforms around the alert</a><span class="small muted">{SPEED} mm/s · {GAIN} mm/mV · kept for ever</span></p>
      </Show>
    </div>
  );
};
export default AlertStrip;
