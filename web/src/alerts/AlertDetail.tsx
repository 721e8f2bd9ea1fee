// One alert: why, from which readings, and all that happened to it.
import { createEffect, createResource, For, lazy, on, onCleanup, Show, Suspense, type Component } from 'solid-js';
import { api } from '../api/client';
import { nowMs, serverNow } from '../live/clock';
import { onLiveEvent, ward } from '../live/store';
import { showSource } from '../source/source.state';
import { AlarmMark } from '../ui/AlarmMark';
import { decimalsOf, exactTime, number, plural, when } from '../ui/format';
import { AlertActions } from './AlertActions';
import { AlertJudge } from './AlertJudge';
import { kindWord, reasons, roleWord, STATE_WORD, stateText, verdictWord } from './alerts.state';

const AlertStrip = lazy(() => import('../strips/AlertStrip'));

export const AlertDetail: Component<{ episode: string }> = (props) => {
  const [entry, { refetch }] = createResource(() => props.episode, (e) => api.alert(e));
  let heading: HTMLHeadingElement | undefined;
  onCleanup(onLiveEvent((event) => { if (event.type === 'alert' && event.episode === props.episode) void refetch(); }));
  createEffect(on(() => !!entry.latest, (there) => { if (there) heading?.focus(); }));
  return (
    <section class="card alert-detail" aria-label="Alert">
      <Show when={!entry.error} fallback={<p class="empty">{(entry.error as Error | undefined)?.message}</p>}>
        <Show when={entry.latest} fallback={<p class="empty">Loading the alert…</p>}>
          {(h) => (
            <>
              <header>
                <AlarmMark priority={h().alert.priority} quiet={h().alert.state !== 'raised'} />
                <h2 ref={heading} tabindex="-1">{h().alert.title}</h2>
                <span class="grow" />
                <span class="chip" data-state={h().alert.state}>{STATE_WORD[h().alert.state] ?? h().alert.state}</span>
                <a class="btn quiet small" href="/alerts" aria-label="Close">✕</a>
              </header>
              <div class="body stack">
                <ul class="alert-why"><For each={reasons(h().alert)}>{(r) => <li><Show when={r.what !== h().alert.title && r.what}><b>{r.what}: </b></Show>{r.values}<Show when={r.rule}> <span class="muted small">Rule: {r.rule}</span></Show></li>}</For></ul>
                <p class="muted">{stateText(h().alert, nowMs())}</p>
                <AlertActions alert={h().alert} onChange={() => void refetch()} />
                <AlertJudge alert={h().alert} events={h().events} onChange={() => void refetch()} />
                <Show when={ward.tiles[h().alert.patient?.id ?? '']?.waves !== false && h().alert.patient?.id}>{(patient) => <Suspense><AlertStrip alert={h().alert} patient={patient()} /></Suspense>}</Show>
                <dl class="facts">
                  <dt>Patient</dt><dd><Show when={h().alert.patient} fallback="none">{(p) => <a href={`/patients/${encodeURIComponent(p().id)}`}>{p().name || 'Name unknown'} · {p().mrn}</a>}</Show></dd>
                  <Show when={h().alert.location}>{(l) => <><dt>Where</dt><dd>{l().unit}, {l().name}</dd></>}</Show>
                  <Show when={h().alert.device}>{(d) => <><dt>Device</dt><dd><a class="mono" href={`/devices/${encodeURIComponent(d())}`}>{d()}</a></dd></>}</Show>
                  <dt>Raised</dt><dd>{exactTime(h().alert.raised_ms)}</dd>
                  <Show when={h().alert.resolved_ms}>{(t) => <><dt>Resolved</dt><dd>{exactTime(t())}</dd></>}</Show>
                  <dt>Turn of</dt><dd>{roleWord(h().alert.assigned)} (level {h().alert.level})</dd>
                  <dt>Condition</dt><dd class="mono">{h().alert.condition}</dd>
                </dl>
                <Show when={h().alert.readings.length}>
                  <h3>It came from {plural(h().alert.readings.length, 'reading')}</h3>
                  <ul class="row"><For each={h().alert.readings}>{(name) => <li><Suspense><ReadingButton name={name} /></Suspense></li>}</For></ul>
                </Show>
                <h3>What happened</h3>
                <ol class="timeline">
                  <For each={h().events}>
                    {(e) => (
                      <li class={e.priority}>
                        <p><b>{kindWord(e.kind)}{e.verdict ? `: ${verdictWord(e.verdict)}` : ''}</b> <span class="muted">{e.actor === 'system' ? '' : `by ${e.actor}`}</span></p>
                        <p class="small muted"><time dateTime={new Date(e.time_ms).toISOString()}>{when(e.time_ms, serverNow())}</time>{e.priority && ` · ${e.priority}`}</p>
                        <Show when={e.detail && e.detail !== h().alert.reason}><p class="small">{e.detail}</p></Show>
                      </li>
                    )}
                  </For>
                </ol>
              </div>
            </>
          )}
        </Show>
      </Show>
    </section>
  );
};

/** A reading by its metric and value, once known; leads to where it came from (PR-1). */
const ReadingButton: Component<{ name: string }> = (props) => {
  const [source] = createResource(() => props.name, (name) => api.reading(name).catch(() => null));
  const words = () => {
    const s = source.latest;
    return s ? `${s.name} ${s.text || number(s.value, decimalsOf(s.value))} ${s.text || s.unit === '1' ? '' : s.unit}`.trimEnd() + `, ${when(s.time_ms, serverNow())}` : 'Reading';
  };
  return <button type="button" class="btn small" onClick={() => showSource(props.name)}>{words()}</button>;
};
