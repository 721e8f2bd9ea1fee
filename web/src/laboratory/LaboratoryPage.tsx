// Trying another alarm policy on the past: what to change, on which time, and the runs so far.
import { createEffect, createResource, createSignal, Show, type Component } from 'solid-js';
import { go } from '../app/router';
import { serverNow } from '../live/clock';
import { may } from '../session/session';
import { sentence } from '../ui/format';
import { ChosenCard } from './ChosenCard';
import { LabFrame } from './LabFrame';
import { lab, type Laboratory, type Parameter } from './laboratory.api';
import { NumbersCard } from './NumbersCard';
import { PeriodCard } from './PeriodCard';
import { askedOf, choose, emptyPlan, renew, type Choice, type Plan } from './plan.state';
import { RunsCard } from './RunsCard';

// Kept while somebody looks at a result and comes back to change a number.
const [plan, setPlan] = createSignal<Plan>(emptyPlan());

const LaboratoryPage: Component<{ params: Record<string, string> }> = () => {
  const [about] = createResource(lab.about);
  const [runs, { refetch }] = createResource(lab.runs);
  const [failure, setFailure] = createSignal('');
  const [busy, setBusy] = createSignal(false);
  const allowed = () => may('manage-policy');
  const change = (part: Partial<Plan>) => { setFailure(''); setPlan({ ...plan(), ...part }); };
  const changeChoice = (path: string, part: Partial<Choice>) => change({ choices: plan().choices.map((c) => (c.parameter.path === path ? { ...c, ...part } : c)) });
  const toggle = (parameter: Parameter) => {
    const others = plan().choices.filter((c) => c.parameter.path !== parameter.path);
    change({ choices: others.length < plan().choices.length ? others : [...others, choose(parameter)] });
  };
  // Another policy may be in force since the numbers were chosen.
  createEffect(() => { if (!about.error && about.latest) setPlan((p) => renew(p, about.latest!.numbers)); });
  const start = async (defaults: Laboratory['defaults']) => {
    setBusy(true);
    try {
      go(`/laboratory/runs/${(await lab.start(askedOf(plan(), defaults, serverNow()))).id}`);
    } catch (error) {
      setFailure(sentence((error as Error).message));
      void refetch();
    } finally {
      setBusy(false);
    }
  };
  return (
    <LabFrame at="try">
      <p class="lab-lead">What would another alarm policy have done with what happened here? Change a number, or try a range of them, and compare. Nothing that alerts now is changed by it: a change comes in force when two people agree, or in an emergency.</p>
      <Show when={about.error as Error | undefined}>{(error) => <p class="error" role="alert">{sentence(error().message)}</p>}</Show>
      <Show when={!about.error && about.latest} fallback={<Show when={!about.error}><p class="empty" role="status">Loading the policy…</p></Show>}>
        {(a) => (
          <>
            <Show when={allowed()} fallback={<p class="card body" role="note">You may look at what others have tried. Trying a change yourself takes the right to manage the alarm policy: physicians and administrators have it.</p>}>
              <div class="lab-columns">
                <div class="stack">
                  <PeriodCard plan={plan()} about={a()} onChange={change} />
                  <NumbersCard numbers={a().numbers} chosen={plan().choices.map((c) => c.parameter.path)} onToggle={toggle} />
                </div>
                <ChosenCard plan={plan()} about={a()} failure={failure()} busy={busy()} onChange={change} onChoice={changeChoice} onRemove={toggle} onStart={() => void start(a().defaults)} />
              </div>
            </Show>
            <RunsCard numbers={a().numbers} runs={runs.error ? [] : runs.latest ?? []} failure={(runs.error as Error | undefined)?.message ?? ''} />
          </>
        )}
      </Show>
    </LabFrame>
  );
};
export default LaboratoryPage;
