// Trends from one hour to seven days: range, zoom, charts or table, alerts on the time axis.
import { createEffect, createMemo, createSignal, For, lazy, on, onCleanup, Show, Suspense, type Component } from 'solid-js';
import { api } from '../api/client';
import type { Alert, OwnNormals, PatientPage, Trends } from '../api/types';
import { serverNow } from '../live/clock';
import { isLive } from '../live/store';
import { AlertTrack } from './AlertTrack';
import { groupsOf, shift, spanFor, SPANS, zoom, type Range } from './trends.state';
import { TrendTable } from './TrendTable';

const TrendCharts = lazy(() => import('./TrendCharts'));
const FOLLOW_MS = 10_000;
/** So few charts are all shown; of more, those of the vital signs until somebody asks. */
const DEFAULT_CHARTS = 4;

export const TrendsCard: Component<{ patient: string; page: PatientPage; own: OwnNormals | null }> = (props) => {
  const [span, setSpan] = createSignal(4 * 3_600_000);
  const [fixed, setFixed] = createSignal<Range | null>(null);
  const [tick, setTick] = createSignal(serverNow());
  const [table, setTable] = createSignal(false);
  const [trends, setTrends] = createSignal<Trends | null>(null);
  const [alerts, setAlerts] = createSignal<Alert[]>([]);
  const [error, setError] = createSignal('');
  const [more, setMore] = createSignal(false);

  const range = createMemo<Range>(() => fixed() ?? { from: tick() - span(), to: tick() });
  const all = createMemo(() => groupsOf(props.page.series));
  const groups = createMemo(() => (more() ? all() : all().filter((g) => g.usual || all().length <= DEFAULT_CHARTS)), undefined, { equals: (a, b) => JSON.stringify(a) === JSON.stringify(b) });
  const timer = window.setInterval(() => !fixed() && setTick(serverNow()), FOLLOW_MS);
  onCleanup(() => clearInterval(timer));

  let running: AbortController | undefined;
  // A patient of ten minutes ago would be a sliver in four hours: until somebody chooses, the span fits the data.
  let spanChosen = false;
  const fit = (next: Trends) => {
    if (spanChosen) return;
    spanChosen = true;
    setSpan(spanFor(next.lines.reduce<number | undefined>((first, l) => Math.min(first ?? Infinity, l.time_ms[0] ?? Infinity), undefined), serverNow()));
  };
  const load = async () => {
    running?.abort();
    const mine = (running = new AbortController());
    const { from, to } = range();
    const metrics = groups().flatMap((g) => g.metrics);
    if (!metrics.length) return;
    try {
      const next = await api.trends(props.patient, metrics, from, to, 700, mine.signal);
      if (!mine.signal.aborted) { setTrends(next); setError(''); fit(next); }
    } catch (cause) {
      if (!mine.signal.aborted) setError((cause as Error).message);
    }
  };
  const loadAlerts = () => api.alerts({ patient: props.patient, state: 'all', limit: 200 }).then((p) => setAlerts(p.alerts), () => undefined);
  createEffect(on([range, groups, () => props.patient], () => void load()));
  createEffect(on([() => props.patient, () => props.page.alerts.length], () => void loadAlerts()));
  createEffect(on(() => JSON.stringify(props.page.limits), () => void load(), { defer: true }));
  onCleanup(() => running?.abort());

  const look = (next: Range | null) => { setFixed(next); if (!next) setTick(serverNow()); };
  return (
    <section class="card trends" aria-labelledby="trends-title">
      <header>
        <h2 id="trends-title">Trends</h2>
        <div class="segments" role="group" aria-label="Time range">
          <For each={SPANS}>
            {(s) => <button type="button" aria-pressed={!fixed() && span() === s.ms} onClick={() => { spanChosen = true; setSpan(s.ms); look(null); }}>{s.label}</button>}
          </For>
        </div>
        <div class="segments" role="group" aria-label="Move in time">
          <button type="button" aria-label="Earlier" onClick={() => look(shift(range(), -0.5, serverNow()))}>‹</button>
          <button type="button" aria-label="Zoom in" onClick={() => look(zoom(range(), 0.5, serverNow()))}>+</button>
          <button type="button" aria-label="Zoom out" onClick={() => look(zoom(range(), 2, serverNow()))}>−</button>
          <button type="button" aria-label="Later" onClick={() => look(shift(range(), 0.5, serverNow()))}>›</button>
        </div>
        <Show when={fixed()}><button type="button" class="btn small" onClick={() => look(null)}>Back to now</button></Show>
        <span class="grow" />
        <button type="button" class="btn small" aria-pressed={table()} onClick={() => setTable(!table())}>Table</button>
      </header>
      <div class="body">
        <Show when={isLive() && error()}><p class="error" role="alert">{error()}</p></Show>
        <AlertTrack alerts={alerts()} range={range()} />
        <Show when={trends()} fallback={<p class="empty">{all().length ? 'Loading trends…' : 'Nothing was measured yet.'}</p>}>
          {(data) => (
            <Show when={!table()} fallback={<TrendTable trends={data()} range={range()} />}>
              <Suspense fallback={<p class="empty">Loading charts…</p>}>
                <TrendCharts groups={groups()} own={props.own} trends={data()} alerts={alerts()} range={range()} onZoom={look} />
              </Suspense>
            </Show>
          )}
        </Show>
        <p class="muted small trend-note">Drag to zoom, click a point to see where it came from. The band spans the lowest to the highest value of each interval; dashed lines are alarm limits{props.own?.normals.some((n) => n.usual) ? '; the shaded ground is usual for this patient' : ''}.
          <Show when={all().length > groups().length || more()}> <button type="button" class="btn quiet small" onClick={() => setMore(!more())}>{more() ? 'Fewer metrics' : `${all().length - groups().length} more`}</button></Show>
        </p>
      </div>
    </section>
  );
};
