// Edges: whether each is heard, what waits there, what it had to leave out; and a new one, other rules, another token.
import { createResource, createSignal, For, Show, type Component } from 'solid-js';
import { may } from '../session/session';
import { dateTime } from '../ui/format';
import { repeat } from '../ui/repeat';
import { attempt } from '../ui/toast';
import { EdgeRulesDialog, NewEdgeDialog } from './EdgeDialogs';
import { condition, contact, EDGE_STATE, gap, sends, waiting, type Line } from './edges.state';
import { fleet, type EdgeView } from './fleet.api';

const Gaps: Component<{ edge: EdgeView }> = (props) => {
  const [open, setOpen] = createSignal(false);
  const [detail] = createResource(() => (open() ? props.edge.id : undefined), fleet.edge);
  return (
    <details onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary class="small">What was left out<span class="sr-only"> by {props.edge.name || props.edge.id}</span></summary>
      <ul class="small edge-gaps">
        <For each={detail.latest?.left_out ?? []} fallback={<li class="muted">{detail.loading ? 'Loading…' : 'Nothing: all that it took in was sent or waits to be.'}</li>}>
          {(one) => <li>{gap(one)} <span class="muted">{dateTime(one.from_ms)} – {dateTime(one.to_ms)}</span></li>}
        </For>
      </ul>
    </details>
  );
};

const Said: Component<{ line: Line }> = (props) => <Show when={props.line.text}><p class="small" classList={{ bad: props.line.tone === 'bad', warn: props.line.tone === 'warn' }}>{props.line.text}</p></Show>;

const Edge: Component<{ edge: EdgeView; onRules: () => void; onChange: () => void }> = (props) => {
  const e = () => props.edge;
  const now = () => Date.now();
  const rotate = async () => {
    await attempt(() => fleet.rotateEdge(e().id), 'The edge takes another token at its next word.');
    props.onChange();
  };
  return (
    <li>
      <p><b>{e().name || e().id}</b> <Show when={e().name}><span class="mono muted">{e().id}</span></Show> <span class={`chip edge ${e().state}`}>{EDGE_STATE[e().state] ?? e().state}</span></p>
      <Said line={contact(e(), now())} />
      <Said line={waiting(e(), now())} />
      <For each={condition(e())}>{(line) => <Said line={line} />}</For>
      <Show when={e().state !== 'waits'}>
        <p class="small">{sends(e().rules)}</p>
        <p class="small muted">
          Version {e().version || 'not known'}{e().age === 'same' ? ', as here' : ''}; {Math.round(e().memory_bytes / 1_048_576)} MiB of memory;{' '}
          let in by <Show when={e().token_since_ms} fallback="token">{(at) => <>token of {dateTime(at())}</>}</Show>{e().certificate_since_ms ? ' and certificate' : ', without a certificate'}
        </p>
        <Gaps edge={e()} />
      </Show>
      <Show when={may('manage-devices')}>
        <div class="row">
          <button type="button" class="btn small" onClick={() => props.onRules()}>What it sends…<span class="sr-only"> {e().name || e().id}</span></button>
          <Show when={e().state !== 'waits'}><button type="button" class="btn small" onClick={() => void rotate()}>New token<span class="sr-only"> for {e().name || e().id}</span></button></Show>
        </div>
      </Show>
    </li>
  );
};

export const EdgesCard: Component = () => {
  const [found, { refetch }] = createResource(fleet.edges);
  const [adding, setAdding] = createSignal(false);
  const [ruled, setRuled] = createSignal<EdgeView>();
  repeat(refetch, 10_000);
  const list = () => (found.error ? [] : found.latest ?? []);
  return (
    <section class="card" aria-label="Edges">
      <div class="row fleet-tools">
        <Show when={may('manage-devices')}><button type="button" class="btn" onClick={() => setAdding(true)}>New edge…</button></Show>
        <p class="small muted">An edge is a small computer on the ward that takes in what devices say and alarms by itself when the network is down.</p>
      </div>
      <Show when={found.error as Error | undefined}>{(error) => <p class="error" role="alert">{error().message}</p>}</Show>
      <ul class="fleet-list">
        <For each={list().map((one) => one.id)} fallback={<li class="empty">{found.loading ? 'Loading…' : 'No edge is registered.'}</li>}>
          {(id) => <Show when={list().find((one) => one.id === id)}>{(edge) => <Edge edge={edge()} onRules={() => setRuled(edge())} onChange={() => void refetch()} />}</Show>}
        </For>
      </ul>
      <Show when={adding()}><NewEdgeDialog onClose={() => { setAdding(false); void refetch(); }} /></Show>
      <Show when={ruled()}>{(edge) => <EdgeRulesDialog edge={edge()} onClose={() => { setRuled(undefined); void refetch(); }} />}</Show>
    </section>
  );
};
