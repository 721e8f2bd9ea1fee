// Care pathways of one patient: suggested, never ordered. A clinician starts or declines one and decides
// on each step; whatever is left out has a reason (AL-5).
import { createSignal, For, Show, type Component } from 'solid-js';
import { may } from '../session/session';
import { Dialog } from '../ui/Dialog';
import { hourMinute } from '../ui/format';
import { attempt } from '../ui/toast';
import { worklist, type PathwayStepView, type PathwayVerb, type PathwayView } from './worklist.api';
import { dueText, stateText } from './worklist.state';
import './worklist.css';

const ASK: Partial<Record<PathwayVerb, string>> = {
  decline: 'Decline', stop: 'Stop following', 'not-applicable': 'Does not apply', 'decline-step': 'Leave out',
};

interface Asking { verb: PathwayVerb; step: string; title: string }
interface PathwayProps { patient: string; name: string; pathway: PathwayView; now: number; onChange: () => void }

export const Pathway: Component<PathwayProps> = (props) => {
  const [asking, setAsking] = createSignal<Asking | null>(null);
  const go = async (verb: PathwayVerb, step = '', reason = '') => {
    const done = await attempt(() => worklist.decide(props.patient, props.pathway.pathway, verb, step, reason), 'Noted');
    if (done) { setAsking(null); props.onChange(); }
  };
  const ask = (verb: PathwayVerb, step = '', title = props.pathway.title) => setAsking({ verb, step, title });
  const about = () => <span class="sr-only"> {props.pathway.title}, {props.name}</span>;
  const decidable = () => may('act-on-alerts') && props.pathway.ended_ms == null;
  return (
    <section class="pathway" aria-label={`${props.pathway.title}, ${props.name}`}>
      <p class="pathway-head">
        <strong>{props.pathway.title}</strong> <span class={`chip pathway-${props.pathway.state}`}>{stateText(props.pathway.state)}</span>
      </p>
      <Show when={props.pathway.because}><p class="small">{props.pathway.because}</p></Show>
      <p class="muted small">{props.pathway.source}</p>
      <Show when={props.pathway.state === 'running'}>
        <ol class="steps">
          <For each={props.pathway.steps}>
            {(step) => <Step step={step} now={props.now} name={props.name} decide={decidable()} onDone={() => void go('done', step.id)} onAsk={(verb) => ask(verb, step.id, step.title)} />}
          </For>
        </ol>
      </Show>
      <Show when={decidable()}>
        <div class="row">
          <Show when={['suggested', 'declined'].includes(props.pathway.state)}>
            <button type="button" class="btn small primary" onClick={() => void go('start')}>Start{about()}</button>
          </Show>
          <Show when={props.pathway.state === 'suggested'}>
            <button type="button" class="btn small" onClick={() => ask('decline')}>Decline…{about()}</button>
          </Show>
          <Show when={props.pathway.state === 'running'}>
            <button type="button" class="btn small quiet" onClick={() => ask('stop')}>Stop…{about()}</button>
          </Show>
        </div>
      </Show>
      <Show when={asking()}>
        {(it) => <ReasonDialog asking={it()} onClose={() => setAsking(null)} onGo={(reason) => void go(it().verb, it().step, reason)} />}
      </Show>
    </section>
  );
};

interface StepProps { step: PathwayStepView; now: number; name: string; decide: boolean; onDone: () => void; onAsk: (verb: PathwayVerb) => void }

const Step: Component<StepProps> = (props) => {
  const late = () => props.step.state === 'open' && props.step.due_ms != null && props.step.due_ms <= props.now;
  const about = () => <span class="sr-only"> {props.step.title}, {props.name}</span>;
  return (
    <li classList={{ late: late(), decided: !['open', 'waiting'].includes(props.step.state) }}>
      <span class="step-title">{props.step.title}</span>
      <span class="step-state small">
        <Show when={props.step.state === 'open'} fallback={<>{stateText(props.step.state)}<Show when={props.step.by}>, {props.step.by}<Show when={props.step.at_ms}>{(at) => <> {hourMinute(at())}</>}</Show></Show><Show when={props.step.reason}>: {props.step.reason}</Show></>}>
          {dueText(props.step.due_ms, props.now) || 'To do'}
        </Show>
        <Show when={props.step.only_if}><span class="muted"> if {props.step.only_if}</span></Show>
      </span>
      <Show when={props.decide && ['open', 'waiting'].includes(props.step.state)}>
        <span class="row step-acts">
          <button type="button" class="btn small" onClick={() => props.onDone()}>Done{about()}</button>
          <button type="button" class="btn small quiet" onClick={() => props.onAsk('not-applicable')}>Does not apply…{about()}</button>
          <button type="button" class="btn small quiet" onClick={() => props.onAsk('decline-step')}>Leave out…{about()}</button>
        </span>
      </Show>
    </li>
  );
};

const ReasonDialog: Component<{ asking: Asking; onClose: () => void; onGo: (reason: string) => void }> = (props) => {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    props.onGo(String(new FormData(event.currentTarget as HTMLFormElement).get('reason')));
  };
  return (
    <Dialog title={`${ASK[props.asking.verb]}: ${props.asking.title}`} onClose={props.onClose}>
      <form class="stack" onSubmit={submit}>
        <label class="field">Reason (kept with the decision)<input name="reason" required maxlength="200" autocomplete="off" /></label>
        <div class="dialog-foot">
          <button type="button" class="btn" onClick={() => props.onClose()}>Cancel</button>
          <button type="submit" class="btn primary">{ASK[props.asking.verb]}</button>
        </div>
      </form>
    </Dialog>
  );
};
