// Edges: whether each is heard, what waits there, what it had to leave out.
import { createResource, createSignal, For, Show, type Component } from 'solid-js';
import { age, dateTime } from '../ui/format';
import { repeat } from '../ui/repeat';
import { fleet } from './fleet.api';
import { EDGE_STATE, filled, GAP_REASON } from './edges.state';

const Gaps: Component<{ id: string }> = (props) => {
  const [detail] = createResource(() => props.id, fleet.edge);
  return (
    <ul class="fleet-list">
      <For each={detail.latest?.left_out ?? []} fallback={<li class="empty">{detail.loading ? 'Loading…' : 'Nothing was left out.'}</li>}>
        {(gap) => (
          <li class="small">
            {gap.pieces} {gap.class} left out: {GAP_REASON[gap.reason] ?? gap.reason}. <span class="muted">{dateTime(gap.from_ms)} – {dateTime(gap.to_ms)}</span>
          </li>
        )}
      </For>
    </ul>
  );
};

export const EdgesCard: Component = () => {
  const [found, { refetch }] = createResource(fleet.edges);
  const [open, setOpen] = createSignal('');
  repeat(refetch, 10_000);
  return (
    <section class="card" aria-label="Edges">
      <Show when={found.error as Error | undefined}>{(error) => <p class="error" role="alert">{error().message}</p>}</Show>
      <ul class="fleet-list">
        <For each={found.latest ?? []} fallback={<li class="empty">{found.loading ? 'Loading…' : 'No edge is registered.'}</li>}>
          {(edge) => (
            <li>
              <p><b class="mono">{edge.id}</b> {edge.name} <b>{EDGE_STATE[edge.state] ?? edge.state}</b>{edge.configured ? '' : ', not yet configured as wanted'}</p>
              <p class="small">
                Spool {filled(edge)}; {edge.devices} devices; {edge.delivered} delivered
                <Show when={edge.oldest_ms}>{(oldest) => <>; oldest waits since {age(Date.now() - oldest())}</>}</Show>
                <Show when={Math.abs(edge.clock_ahead_ms ?? 0) > 2_000}>; clock off by {Math.round((edge.clock_ahead_ms ?? 0) / 1000)} s</Show>
              </p>
              <p class="small muted">Version {edge.version || '–'}<Show when={edge.heard_ms}>{(at) => <>, heard {dateTime(at())}</>}</Show></p>
              <button type="button" class="btn small" aria-expanded={open() === edge.id} onClick={() => setOpen(open() === edge.id ? '' : edge.id)}>What was left out</button>
              <Show when={open() === edge.id}><Gaps id={edge.id} /></Show>
            </li>
          )}
        </For>
      </ul>
    </section>
  );
};
