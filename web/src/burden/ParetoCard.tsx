// The few that make most, each with its share and the share of all up to it.
import { For, Show, type Component } from 'solid-js';
import { may } from '../session/session';
import { plural } from '../ui/format';
import type { Pareto } from './burden.api';
import { LEAST_DAYS } from './burden.state';

interface ParetoProps { title: string; pareto: Pareto; days?: boolean; devices?: boolean }

export const ParetoCard: Component<ParetoProps> = (props) => {
  const widest = () => props.pareto.rows[0]?.alerts ?? 1;
  const perDay = (alerts: number, days: number | null | undefined) => (days && days >= LEAST_DAYS ? (alerts / days).toFixed(1) : '–');
  return (
    <section class="card" aria-label={props.title}>
      <header><h2>{props.title}</h2></header>
      <div class="scroll" tabindex="0" role="region" aria-label={`Table: ${props.title}`}>
        <table class="table pareto">
          <thead><tr><th scope="col">Which</th><th scope="col" class="num">Alerts</th><th scope="col" class="num">Together</th><Show when={props.days}><th scope="col" class="num">A bed-day</th></Show></tr></thead>
          <tbody>
            <For each={props.pareto.rows} fallback={<tr><td colspan="4" class="empty">Nothing alerted.</td></tr>}>
              {(row) => (
                <tr>
                  <th scope="row">
                    <Show when={props.devices && row.name && may('see-devices')} fallback={<span>{row.unit ? `${row.unit} ` : ''}{row.name || 'not known'}</span>}><a class="mono" href={`/devices/${encodeURIComponent(row.name)}`}>{row.name}</a></Show>
                    <div class="pareto-bar" aria-hidden="true"><span style={{ width: `${(row.alerts / widest()) * 100}%` }} /></div>
                  </th>
                  <td class="num"><Show when={may('see-patients') && row.newest} fallback={row.alerts}><a href={`/alerts/${row.newest}`} aria-label={`${plural(row.alerts, 'alert')}; open the newest`}>{row.alerts}</a></Show></td>
                  <td class="num">{Math.round(row.together * 100)}%</td>
                  <Show when={props.days}><td class="num">{perDay(row.alerts, row.bed_days)}</td></Show>
                </tr>
              )}
            </For>
            <Show when={props.pareto.others}><tr><th scope="row" class="muted">{plural(props.pareto.others, 'other')}</th><td class="num">{props.pareto.other_alerts}</td><td class="num">100%</td><Show when={props.days}><td /></Show></tr></Show>
          </tbody>
        </table>
      </div>
    </section>
  );
};
