// What moving a limit would have spared: said of what was.
import { For, Show, type Component } from 'solid-js';
import { may } from '../session/session';
import { plural } from '../ui/format';
import type { Figures } from './burden.api';

export const LimitChanges: Component<{ limits: Figures['limits'] }> = (props) => (
  <section class="card" aria-labelledby="limits-title">
    <header><h2 id="limits-title">Limits</h2></header>
    <div class="body stack">
      <p class="muted small">How many alerts never went beyond another mark. It says what was, not what would have been; try a change in the <Show when={may('see-policy')} fallback="alarm laboratory"><a href="/laboratory">alarm laboratory</a></Show> before making it.</p>
      <ul class="burden-list" aria-label="Limits">
        <For each={props.limits} fallback={<li class="muted">No limit made three alerts whose values are known.</li>}>
          {(limit) => (
            <li>
              <b>{limit.metric} {limit.below ? 'below' : 'above'} {limit.mark} {limit.unit}</b>: {plural(limit.alerts, 'alert')}
              <ul>
                <For each={limit.steps.filter((step, at) => step.spared > (limit.steps[at - 1]?.spared ?? 0))} fallback={<li class="small muted">none spared by moving it a little</li>}>
                  {(step) => <li class="small">at {Number(step.mark.toFixed(2))}: {step.spared} spared<Show when={step.spared_actionable}> (<b>{step.spared_actionable} of them actionable</b>)</Show></li>}
                </For>
              </ul>
            </li>
          )}
        </For>
      </ul>
    </div>
  </section>
);
