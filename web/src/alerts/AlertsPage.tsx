// The worklist and the history of alerts; one alert beside it.
import { createMemo, createSignal, For, Show, type Component } from 'solid-js';
import { keysEnabled } from '../app/shortcuts';
import { currentQuery } from '../app/router';
import { openAlerts, ward } from '../live/store';
import { plural } from '../ui/format';
import { AlertDetail } from './AlertDetail';
import { AlertHistory } from './AlertHistory';
import { AlertRow } from './AlertRow';
import { untaken, worklist } from './alerts.state';
import './alerts.css';

const AlertsPage: Component<{ params: Record<string, string> }> = (props) => {
  const [history, setHistory] = createSignal(currentQuery().get('view') === 'history');
  const [unit, setUnit] = createSignal('');
  const ids = createMemo(() => worklist(openAlerts().filter((a) => !unit() || a.location?.unit === unit())).map((a) => a.episode), [], { equals: (a, b) => a.join() === b.join() });
  const waiting = () => openAlerts().filter(untaken).length;

  const onKeyDown = (event: KeyboardEvent) => {
    const rows = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('.alert-row')];
    const at = rows.findIndex((r) => r.contains(document.activeElement));
    if (at < 0 || (event.target as Element).closest('dialog')) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const verb = keysEnabled() ? { a: 'acknowledge', s: 'snooze' }[event.key] : undefined;
    if (!step && !verb) return;
    event.preventDefault();
    if (step) rows[at + step]?.querySelector<HTMLElement>('.alert-title a')?.focus();
    else rows[at]?.querySelector<HTMLElement>(`[data-act=${verb}]`)?.click();
  };

  return (
    <div class="page alerts-page" classList={{ detail: !!props.params.episode }}>
      <div class="page-head">
        <h1>Alerts</h1>
        <span class="muted">{plural(ids().length, 'open alert')}, {waiting()} not taken</span>
        <span class="grow" />
        <Show when={ward.units.length > 1 && !history()}>
          <label class="row small">Unit
            <select class="input" value={unit()} onChange={(e) => setUnit(e.currentTarget.value)}>
              <option value="">All</option>
              <For each={ward.units}>{(u) => <option value={u}>{u}</option>}</For>
            </select>
          </label>
        </Show>
        <div class="segments" role="group" aria-label="Which alerts">
          <button type="button" aria-pressed={!history()} onClick={() => setHistory(false)}>Open</button>
          <button type="button" aria-pressed={history()} onClick={() => setHistory(true)}>History</button>
        </div>
      </div>
      <div class="alerts-columns">
        <Show when={!history()} fallback={<AlertHistory picked={props.params.episode} />}>
          <section class="card" aria-label="Worklist" onKeyDown={onKeyDown}>
            <ul class="alert-list">
              <For each={ids()} fallback={<li class="empty">No open alert{unit() ? ' in this unit' : ''}.</li>}>
                {(id) => <Show when={ward.alerts[id]}>{(alert) => <AlertRow alert={alert()} picked={props.params.episode === id} />}</Show>}
              </For>
            </ul>
          </section>
        </Show>
        <Show when={props.params.episode} keyed>{(episode) => <AlertDetail episode={episode} />}</Show>
      </div>
    </div>
  );
};
export default AlertsPage;
