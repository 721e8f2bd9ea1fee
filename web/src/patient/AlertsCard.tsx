// The patient's open alerts, most urgent first.
import { For, Show, type Component } from 'solid-js';
import type { Alert } from '../api/types';
import { AlertActions } from '../alerts/AlertActions';
import { reasonLine, stateText } from '../alerts/alerts.state';
import { nowMs } from '../live/clock';
import { AlarmMark } from '../ui/AlarmMark';
import { age } from '../ui/format';

export const AlertsCard: Component<{ alerts: Alert[]; onChange: () => void }> = (props) => (
  <Show when={props.alerts.length}>
    <section class="card" aria-labelledby="p-alerts">
      <header><h2 id="p-alerts">Open alerts</h2><span class="muted">{props.alerts.length}</span></header>
      <ul class="p-alerts">
        <For each={props.alerts}>
          {(a) => (
            <li>
              <div class="row"><AlarmMark priority={a.priority} quiet={a.state !== 'raised'} /> <a href={`/alerts/${encodeURIComponent(a.episode)}`}>{a.title}</a></div>
              <p class="small">{reasonLine(a)}</p>
              <p class="small muted">{age(nowMs() - a.raised_ms)} · {stateText(a, nowMs())}</p>
              <AlertActions alert={a} compact onChange={props.onChange} />
            </li>
          )}
        </For>
      </ul>
    </section>
  </Show>
);
