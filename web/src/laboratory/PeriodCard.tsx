// On which time a change is tried.
import { For, Show, type Component } from 'solid-js';
import { dateTime } from '../ui/format';
import type { Laboratory } from './laboratory.api';
import { PERIODS, type Plan } from './plan.state';

export const PeriodCard: Component<{ plan: Plan; about: Laboratory; onChange: (part: Partial<Plan>) => void }> = (props) => (
  <section class="card" aria-labelledby="period-title">
    <header><h2 id="period-title">1. On which time</h2></header>
    <div class="body stack">
      <div class="segments lab-periods" role="group" aria-label="Period">
        <For each={PERIODS}>{(p) => <button type="button" aria-pressed={props.plan.period === p.id} onClick={() => props.onChange({ period: p.id })}>{p.title}</button>}</For>
      </div>
      <Show when={props.plan.period === 'dates'}>
        <div class="row">
          <label class="field">First day<input type="date" value={props.plan.from} onInput={(e) => props.onChange({ from: e.currentTarget.value })} /></label>
          <label class="field">Last day<input type="date" value={props.plan.to} onInput={(e) => props.onChange({ to: e.currentTarget.value })} /></label>
        </div>
      </Show>
      <p class="small muted">
        <Show when={props.about.from_ms} fallback="Nothing has been recorded yet: there is no past to try a policy on.">
          {(from) => <>Recorded since {dateTime(from())}. A longer time has more real events in it, and takes longer to try.</>}
        </Show>
      </p>
    </div>
  </section>
);
