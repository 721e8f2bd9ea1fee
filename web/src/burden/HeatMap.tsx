// Alerts by weekday and hour: a table whose cells are shaded and say their number.
import { For, type Component } from 'solid-js';
import { DAYS, most, shade } from './burden.state';

export const HeatMap: Component<{ hours: number[][] }> = (props) => (
  <section class="card" aria-labelledby="heat-title">
    <header><h2 id="heat-title">By weekday and hour</h2></header>
    <div class="scroll" tabindex="0" role="region" aria-label="Alerts by weekday and hour">
      <table class="heat">
        <thead><tr><th scope="col"><span class="sr-only">Day</span></th><For each={Array.from({ length: 24 }, (_, h) => h)}>{(h) => <th scope="col">{h}</th>}</For></tr></thead>
        <tbody>
          <For each={props.hours}>
            {(row, day) => <tr><th scope="row">{DAYS[day()]}</th><For each={row}>{(n) => <td data-shade={shade(n, most(props.hours))}>{n || ''}</td>}</For></tr>}
          </For>
        </tbody>
      </table>
    </div>
  </section>
);
