// What could not be understood, and why; one message beside it, with the profiles that could read it.
import { createEffect, createSignal, For, on, onCleanup, Show, type Component } from 'solid-js';
import { api } from '../api/client';
import type { QuarantinePage as Page } from '../api/types';
import { onLiveEvent } from '../live/store';
import { may } from '../session/session';
import { plural } from '../ui/format';
import { attempt } from '../ui/toast';
import { QuarantineDetail } from './QuarantineDetail';
import { QuarantineList } from './QuarantineList';
import './quarantine.css';

const PAGE = 100;

const QuarantinePage: Component<{ params: Record<string, string> }> = (props) => {
  const [state, setState] = createSignal('new');
  const [kind, setKind] = createSignal('');
  const [page, setPage] = createSignal<Page | null>(null);
  const [error, setError] = createSignal('');
  const load = () => api.quarantine({ state: state(), limit: PAGE }).then((p) => { setPage(p); setError(''); }, (e: Error) => setError(e.message));
  const older = async () => {
    const last = page()?.items.at(-1);
    const next = last && (await attempt(() => api.quarantine({ state: state(), limit: PAGE, before: last.offset })));
    if (next) setPage((p) => (p ? { ...p, items: [...p.items, ...next.items] } : next));
  };
  const releaseAll = async () => {
    const done = await attempt(() => api.releaseMatching(kind() || null), (r) => `${plural(r.released, 'message')} released`);
    if (done) void load();
  };
  createEffect(on(state, () => void load()));
  onCleanup(onLiveEvent((event) => { if (event.type === 'quarantine') void load(); }));
  // Whoever sees no patients has no live stream: ask now and then.
  const timer = may('see-patients') ? 0 : window.setInterval(() => void load(), 5_000);
  onCleanup(() => clearInterval(timer));
  const items = () => (page()?.items ?? []).filter((i) => !kind() || i.problems.some((p) => p.kind === kind()));
  return (
    <div class="page quarantine-page" classList={{ detail: !!props.params.offset }}>
      <div class="page-head">
        <h1>Quarantine</h1>
        <span class="muted">{plural(page()?.total ?? 0, 'message')}</span>
        <span class="grow" />
        <Show when={state() === 'new' && (page()?.total ?? 0) > 0 && may('release-quarantine')}>
          <button type="button" class="btn" onClick={() => void releaseAll()} title="Reads them again with the profiles of now; what still can't be read stays">Release all{kind() ? ` “${kind()}”` : ''} that can be read</button>
        </Show>
        <div class="segments" role="group" aria-label="State">
          <For each={['new', 'released', 'discarded', 'all']}>{(s) => <button type="button" aria-pressed={state() === s} onClick={() => setState(s)}>{s[0]?.toUpperCase()}{s.slice(1)}</button>}</For>
        </div>
      </div>
      <Show when={error()}><p class="error" role="alert">{error()}</p></Show>
      <Show when={(page()?.by_kind.length ?? 0) > 0}>
        <div class="row" role="group" aria-label="Kind of problem">
          <For each={page()?.by_kind}>
            {([k, n]) => <button type="button" class="btn small" aria-pressed={kind() === k} onClick={() => setKind(kind() === k ? '' : k)}>{k} <b>{n}</b></button>}
          </For>
        </div>
      </Show>
      <div class="quarantine-columns">
        <section class="card" aria-label="Messages">
          <Show when={page()} fallback={<p class="empty">Loading…</p>}>
            <QuarantineList items={items()} picked={Number(props.params.offset ?? -1)} state={state()} />
            <Show when={(page()?.items.length ?? 0) < (page()?.total ?? 0)}><div class="body"><button type="button" class="btn" onClick={() => void older()}>Older</button></div></Show>
          </Show>
        </section>
        <Show when={props.params.offset} keyed>{(offset) => <QuarantineDetail offset={Number(offset)} onChange={() => void load()} />}</Show>
      </div>
    </div>
  );
};
export default QuarantinePage;
