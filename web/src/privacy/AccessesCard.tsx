// Who saw what of a patient and when, in plain words.
import { createResource, createSignal, For, Show, type Component } from 'solid-js';
import { dateSecond } from '../ui/format';
import { privacy, type Access, type Whose } from './privacy.api';
import { accessWords, ROLE_WORD } from './words';

const FIRST = 50;

export const AccessesCard: Component<{ whose: Whose }> = (props) => {
  const [report] = createResource(() => props.whose, privacy.accesses);
  const [all, setAll] = createSignal(false);
  const shown = () => { const list = report.latest?.accesses ?? []; return all() ? list : list.slice(0, FIRST); };
  const rest = () => (report.latest?.accesses.length ?? 0) - shown().length;
  return (
    <section class="card" aria-label="Who saw what">
      <header><h2>Who saw what</h2><span class="grow" /><span class="muted small">the last 90 days</span></header>
      <div class="body stack">
        <Show when={report.error as Error | undefined}>{(error) => <p class="error" role="alert">{error().message}</p>}</Show>
        <ul class="accesses">
          <For each={shown()} fallback={<li class="muted">{report.loading ? 'Loading…' : 'Nobody saw anything.'}</li>}>{(access) => <Line access={access} />}</For>
        </ul>
        <Show when={rest() > 0}><button type="button" class="btn small" onClick={() => setAll(true)}>Show {rest()} more</button></Show>
        <Show when={report.latest?.more}><p class="small muted">There is more than fits here: ask the hospital for a shorter time.</p></Show>
      </div>
    </section>
  );
};

const Line: Component<{ access: Access }> = (props) => (
  <li classList={{ refused: props.access.outcome !== 'seen', emergency: props.access.purpose === 'emergency' }}>
    <span class="at">{dateSecond(props.access.last_ms)}</span>
    <span><b>{props.access.who}</b> <span class="muted">{ROLE_WORD[props.access.role] ?? props.access.role}</span></span>
    <span>{accessWords(props.access)}<Show when={props.access.purpose}><span class="chip">{props.access.purpose}</span></Show></span>
  </li>
);
