// The patient page's card: pathways that matter, the last that ended with their story, and what may be started.
import { createEffect, createResource, createSignal, For, on, onCleanup, Show, type Component } from 'solid-js';
import { nowCoarseMs } from '../live/clock';
import { onLiveEvent } from '../live/store';
import { may } from '../session/session';
import { hourMinute } from '../ui/format';
import { attempt } from '../ui/toast';
import { Pathway } from './Pathways';
import { worklist, type PatientPathways } from './worklist.api';
import { stateText } from './worklist.state';

export const PathwaysCard: Component<{ patient: string; name: string }> = (props) => {
  const [found, { refetch, mutate }] = createResource<PatientPathways, string>(() => props.patient, worklist.pathways);
  const [wanted, setWanted] = createSignal('');
  // Opening the page is a look: it counts in the worklist, once in a while.
  createEffect(on(() => props.patient, (id) => { if (may('act-on-alerts')) void worklist.seen(id, 'opened').catch(() => undefined); }));
  onCleanup(onLiveEvent((event) => { if (event.type === 'worklist' && event.patient.id === props.patient) void refetch(); }));
  const all = () => found.latest?.pathways ?? [];
  const now = () => Math.max(nowCoarseMs(), found.latest?.now_ms ?? 0);
  const start = async () => {
    const next = await attempt(() => worklist.decide(props.patient, wanted(), 'start', '', ''), 'Started');
    if (next) { mutate(next); setWanted(''); }
  };
  return (
    <section class="card pathways-card" aria-labelledby="pathways-title">
      <header><h2 id="pathways-title">Care pathways</h2></header>
      <For each={all().filter((p) => p.ended_ms == null)} fallback={<p class="muted small">None is suggested or followed.</p>}>
        {(pathway) => <Pathway patient={props.patient} name={props.name} pathway={pathway} now={now()} onChange={() => void refetch()} />}
      </For>
      <For each={all().filter((p) => p.ended_ms != null).reverse().slice(0, 3)}>
        {(pathway) => (
          <details class="pathway">
            <summary>{pathway.title}: {stateText(pathway.state)} {hourMinute(pathway.ended_ms ?? 0)}</summary>
            <ul class="small">
              <For each={pathway.events}>{(event) => <li>{hourMinute(event.at_ms)} {event.kind.replaceAll('-', ' ')}{event.step && ` (${event.step})`}, {event.by}{event.reason && `: ${event.reason}`}</li>}</For>
            </ul>
          </details>
        )}
      </For>
      <Show when={may('act-on-alerts') && found.latest?.available.length}>
        <div class="row">
          <label class="field grow">Start another
            <select value={wanted()} onChange={(e) => setWanted(e.currentTarget.value)}>
              <option value="">Choose…</option>
              <For each={found.latest?.available}>{(one) => <option value={one.pathway}>{one.title}</option>}</For>
            </select>
          </label>
          <button type="button" class="btn small" disabled={!wanted()} onClick={() => void start()}>Start</button>
        </div>
      </Show>
    </section>
  );
};
