// The numbers that were chosen, each set or swept; the budget; the start.
import { createMemo, For, Show, type Component } from 'solid-js';
import { serverNow } from '../live/clock';
import { plural } from '../ui/format';
import { ChoiceRow } from './ChoiceRow';
import { eventWord } from './comparison.state';
import type { Laboratory, Parameter } from './laboratory.api';
import { policiesOf, problemOf, type Choice, type Plan } from './plan.state';

interface ChosenProps {
  plan: Plan; about: Laboratory; failure: string; busy: boolean;
  onChange: (part: Partial<Plan>) => void; onChoice: (path: string, part: Partial<Choice>) => void; onRemove: (parameter: Parameter) => void; onStart: () => void;
}

export const ChosenCard: Component<ChosenProps> = (props) => {
  const problem = createMemo(() => problemOf(props.plan, props.about, serverNow()));
  const sweeps = () => props.plan.choices.some((c) => c.mode === 'sweep');
  const paths = createMemo(() => props.plan.choices.map((c) => c.parameter.path));
  const of = (path: string) => props.plan.choices.find((c) => c.parameter.path === path);
  return (
    <section class="card lab-chosen" aria-labelledby="chosen-title">
      <header><h2 id="chosen-title">3. Change and start</h2></header>
      <form class="body stack" onSubmit={(e) => { e.preventDefault(); if (!problem() && !props.busy) props.onStart(); }}>
        <div class="lab-choices">
          <For each={paths()} fallback={<p class="muted">Nothing chosen yet. Choose a number in the list.</p>}>
            {(path) => <Show when={of(path)}>{(choice) => <ChoiceRow choice={choice()} onChange={(part) => props.onChoice(path, part)} onRemove={() => props.onRemove(choice().parameter)} />}</Show>}
          </For>
        </div>
        <Show when={sweeps()}>
          <div class="row">
            <label class="field">Alert budget (alerts a bed-day)<input inputmode="decimal" autocomplete="off" placeholder="none" value={props.plan.budget} onInput={(e) => props.onChange({ budget: e.currentTarget.value })} /></label>
            <label class="field lab-target">Judge by
              <select value={props.plan.target} onChange={(e) => props.onChange({ target: e.currentTarget.value })}>
                <option value="">all real events</option>
                <For each={[...props.about.events.map((e) => e.name), ...props.about.told_events]}>{(name) => <option value={name}>{eventWord(name)}</option>}</For>
              </select>
            </label>
          </div>
          <p class="small muted">With a budget, the policy that sees most events within it is proposed.</p>
        </Show>
        <label class="field">What to call it (no patient names)<input maxlength="120" autocomplete="off" placeholder="may stay empty" value={props.plan.title} onInput={(e) => props.onChange({ title: e.currentTarget.value })} /></label>
        <Show when={props.failure}><p class="error" role="alert">{props.failure}</p></Show>
        <div class="row">
          <button class="btn primary" aria-disabled={!!problem() || props.busy} aria-describedby="start-note">Try on the past</button>
          <Show when={props.about.running}>{(run) => <a href={`/laboratory/runs/${run()}`}>Another one is running</a>}</Show>
        </div>
        <p class="small muted" id="start-note" role="status">{problem() || `${plural(policiesOf(props.plan), 'policy', 'policies')} beside the present one.`}</p>
      </form>
    </section>
  );
};
