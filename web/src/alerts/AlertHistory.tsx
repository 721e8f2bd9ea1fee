// Alerts of the past, with filters, page by page.
import { createEffect, createSignal, For, on, Show, type Component } from 'solid-js';
import { api } from '../api/client';
import type { Alert } from '../api/types';
import { ward } from '../live/store';
import { plural } from '../ui/format';
import { attempt } from '../ui/toast';
import { AlertRow } from './AlertRow';

const PAGE = 50;

export const AlertHistory: Component<{ picked: string | undefined }> = (props) => {
  const [state, setState] = createSignal('resolved');
  const [priority, setPriority] = createSignal('');
  const [unit, setUnit] = createSignal('');
  const [alerts, setAlerts] = createSignal<Alert[]>([]);
  const [total, setTotal] = createSignal<number | null>(null);
  const load = async (before: number | null) => {
    const page = await attempt(() => api.alerts({ state: state(), priority: priority(), unit: unit(), limit: PAGE, before_ms: before }));
    if (!page) return;
    setAlerts((list) => (before == null ? page.alerts : [...list, ...page.alerts]));
    if (before == null) setTotal(page.total);
  };
  createEffect(on([state, priority, unit], () => void load(null)));
  const oldest = () => Math.min(...alerts().map((a) => a.raised_ms));
  return (
    <section class="card" aria-label="History">
      <header>
        <label class="row small">State
          <select class="input" value={state()} onChange={(e) => setState(e.currentTarget.value)}><option value="resolved">Resolved</option><option value="all">All</option></select>
        </label>
        <label class="row small">Priority
          <select class="input" value={priority()} onChange={(e) => setPriority(e.currentTarget.value)}><option value="">All</option><option value="high">High</option><option value="medium">Medium</option><option value="low">Low</option></select>
        </label>
        <label class="row small">Unit
          <select class="input" value={unit()} onChange={(e) => setUnit(e.currentTarget.value)}><option value="">All</option><For each={ward.units}>{(u) => <option value={u}>{u}</option>}</For></select>
        </label>
        <span class="grow" />
        <span class="muted small">{total() == null ? '' : plural(total()!, 'alert')}</span>
      </header>
      <ul class="alert-list">
        <For each={alerts()} fallback={<li class="empty">{total() == null ? 'Loading…' : 'No alert fits.'}</li>}>
          {(alert) => <AlertRow alert={alert} picked={props.picked === alert.episode} />}
        </For>
      </ul>
      <Show when={alerts().length < (total() ?? 0)}>
        <div class="body"><button type="button" class="btn" onClick={() => void load(oldest())}>Older</button></div>
      </Show>
    </section>
  );
};
