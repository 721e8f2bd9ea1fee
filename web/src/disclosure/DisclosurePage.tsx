// Full disclosure: an hour of one ECG on one screen.
import { createEffect, createMemo, createSignal, For, on, onCleanup, onMount, Show, type Component } from 'solid-js';
import { currentPath, currentQuery, go } from '../app/router';
import { useShortcuts } from '../app/shortcuts';
import { useTheme } from '../app/theme';
import { nowCoarseMs, serverNow } from '../live/clock';
import { isLive } from '../live/store';
import { PatientHeader } from '../patient/PatientHeader';
import { PatientTabs } from '../patient/PatientTabs';
import { usePatient } from '../patient/patient.state';
import { hourMinute, when } from '../ui/format';
import { channelWord, kindOf, rhythmWord } from '../waves/channels';
import { baseline, drawHour } from './draw';
import { EventList, Legend } from './EventList';
import { countBeats, eventsOf, HOUR_MS, hourOf, LAYOUTS, openHour, timeAt } from './disclosure.state';
import { useHour } from './useHour';
import { columnsOf } from '../strips/stretches';
import '../ward/tile.css';
import '../patient/patient.css';
import './disclosure.css';

const LEAST_ROW = 11;

const DisclosurePage: Component<{ params: Record<string, string> }> = (props) => {
  const id = () => props.params.patient ?? '';
  const model = usePatient(id);
  const hour = createMemo(() => openHour(currentQuery().get('hour'), serverNow()));
  const wanted = () => Number(currentQuery().get('series') ?? 0);
  /** On a phone a minute would be too narrow to see a beat. */
  const rows = () => Number(currentQuery().get('rows')) === 120 || (!currentQuery().get('rows') && size().width < 500) ? 120 : 60;
  const data = useHour(id, hour, wanted);
  const theme = useTheme();
  const [size, setSize] = createSignal({ width: 0, height: 0 });
  const [row, setRow] = createSignal(0);
  let canvas!: HTMLCanvasElement, box!: HTMLDivElement;

  const open = (patch: Record<string, string | number>) => {
    const query = new URLSearchParams(currentQuery());
    for (const [k, v] of Object.entries(patch)) query.set(k, String(v));
    go(`${currentPath()}?${query.toString()}`, true);
  };
  const turn = (by: number) => open({ hour: hourOf(hour() + by * HOUR_MS) });
  const isPresent = () => { nowCoarseMs(); return hour() + HOUR_MS > serverNow(); };
  const strip = (ms: number) => `/patients/${encodeURIComponent(id())}/waves?at=${Math.round(ms)}`;
  const rowHeight = () => Math.max(LEAST_ROW, Math.floor(size().height / 60));
  const marks = createMemo(data.marks);
  const events = createMemo(() => eventsOf(data.alerts(), marks().rhythms, hour(), rhythmWord));
  const counts = createMemo(() => countBeats(marks().beats, hour()));

  onMount(() => {
    const measure = () => setSize({ width: Math.max(200, Math.floor(box.clientWidth - 46)), height: window.innerHeight - box.getBoundingClientRect().top - window.scrollY - 24 });
    createEffect(on(() => [!!model.tile(), data.known()], measure));
    const seen = new ResizeObserver(measure);
    seen.observe(box);
    window.addEventListener('resize', measure);
    onCleanup(() => { seen.disconnect(); window.removeEventListener('resize', measure); });
  });
  let frame = 0;
  const draw = () => {
    frame = 0;
    const { width } = size(), ratio = window.devicePixelRatio || 1, ctx = canvas.getContext('2d');
    if (!ctx || !width) return;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(rows() * rowHeight() * ratio);
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    const style = getComputedStyle(document.documentElement), stretches = data.stretches();
    const { low, high } = baseline(columnsOf(stretches, hour(), hour() + HOUR_MS, 3_600));
    const gain = Math.min((rowHeight() * 1.25) / Math.max(1e-6, high - low), data.lead() && kindOf(data.lead()!) === 'ecg' ? rowHeight() * 1.4 : Infinity);
    drawHour(ctx, { width, rowHeight: rowHeight(), rows: rows(), hour: hour(), stretches, marks: marks(), gain, colour: (name) => style.getPropertyValue(name).trim() });
  };
  createEffect(() => {
    [data.stretches(), marks(), size(), rows(), theme(), hour()];
    if (!frame) frame = requestAnimationFrame(draw);
  });
  onCleanup(() => cancelAnimationFrame(frame));
  useShortcuts([{ keys: '[', does: 'Hour before', run: () => turn(-1) }, { keys: ']', does: 'Hour after', run: () => { if (!isPresent()) turn(1); } }]);

  const pick = (e: MouseEvent) => {
    const at = canvas.getBoundingClientRect();
    go(strip(timeAt(Math.floor((e.clientY - at.top) / rowHeight()), (e.clientX - at.left) / at.width, hour(), rows())));
  };
  const onKeyDown = (e: KeyboardEvent) => {
    if (e.key === 'PageUp' || e.key === 'PageDown') { e.preventDefault(); if (e.key === 'PageUp' || !isPresent()) turn(e.key === 'PageUp' ? -1 : 1); return; }
    const to = { ArrowUp: row() - 1, ArrowDown: row() + 1, Home: 0, End: rows() - 1 }[e.key];
    if (to === undefined) return;
    e.preventDefault();
    setRow(Math.min(rows() - 1, Math.max(0, to)));
    (box.querySelectorAll<HTMLElement>('.hour-rows a')[row()])?.focus();
  };
  return (
    <div class="page patient disclosure" classList={{ 'not-live': !isLive() }}>
      <Show when={model.tile()}>{(tile) => <PatientHeader tile={tile()} />}</Show>
      <PatientTabs patient={id()} at="disclosure" tile={model.tile()} />
      <Show when={data.error() || data.failure()}>{(text) => <p class="error" role="alert">{text()}</p>}</Show>
      <div class="hour-columns">
        <section class="card hour-card" aria-labelledby="hour-title">
          <div class="hour-bar">
            <button type="button" class="btn small" onClick={() => turn(-1)} aria-label="The hour before">‹</button>
            <h2 id="hour-title">{when(hour(), serverNow()).replace(/:00$/, '')} – {hourMinute(hour() + HOUR_MS)}</h2>
            <button type="button" class="btn small" disabled={isPresent()} onClick={() => turn(1)} aria-label="The hour after">›</button>
            <Show when={!data.known() && data.lead()}><span class="muted small" role="status">Loading…</span></Show>
            <span class="grow" />
            <Show when={(data.channels()?.length ?? 0) > 1}>
              <select class="input small" aria-label="Channel" value={data.lead()?.series ?? ''} onChange={(e) => open({ series: e.currentTarget.value })}>
                <For each={data.channels() ?? []}>{(c) => <option value={c.series} selected={c.series === data.lead()?.series}>{channelWord(c)}</option>}</For>
              </select>
            </Show>
            <div class="segments small" role="group" aria-label="Rows">
              <For each={LAYOUTS}>{(n) => <button type="button" aria-pressed={rows() === n} onClick={() => open({ rows: n })}>{n === 60 ? '1 min a row' : '30 s a row'}</button>}</For>
            </div>
          </div>
          <div class="hour-box" ref={box} onKeyDown={onKeyDown}>
            <ol class="hour-rows" aria-label="Minutes; each opens its strip">
              <For each={Array.from({ length: rows() }, (_, i) => i)}>
                {(i) => <li style={{ height: `${rowHeight()}px` }}><a href={strip(timeAt(i, 0.5, hour(), rows()))} tabindex={i === row() ? 0 : -1} onFocus={() => setRow(i)} classList={{ minor: rows() === 60 ? i % 5 !== 0 : i % 10 !== 0 }}>{hourMinute(timeAt(i, 0, hour(), rows()))}</a></li>}
              </For>
            </ol>
            <canvas ref={canvas} style={{ width: `${size().width}px`, height: `${rows() * rowHeight()}px` }} onClick={pick} role="img" aria-label={`An hour of ${data.lead() ? channelWord(data.lead()!) : 'no channel'} from ${hourMinute(hour())}; what happened is listed beside it`} />
          </div>
        </section>
        <aside class="hour-side" aria-label="The hour in words">
          <Legend counts={counts()} />
          <EventList events={events()} strip={strip} />
        </aside>
      </div>
    </div>
  );
};
export default DisclosurePage;
