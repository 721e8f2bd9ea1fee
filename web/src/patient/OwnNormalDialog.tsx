// A clinician's decision about one own normal: pause, resume, reset or state it, with a reason (AL-5).
import { createSignal, Show, type Component } from 'solid-js';
import { api } from '../api/client';
import type { OwnNormal, OwnNormals } from '../api/types';
import { attempt } from '../ui/toast';
import { Dialog } from '../ui/Dialog';
import { number } from '../ui/format';

export const OwnNormalDialog: Component<{ normal: OwnNormal; patient: string; onClose: () => void; onDone: (next: OwnNormals) => void }> = (props) => {
  const paused = () => props.normal.state === 'paused';
  const [step, setStep] = createSignal(paused() ? 'resume' : 'pause');
  const bounds = () => {
    const { low_bound: low, high_bound: high, decimals } = props.normal;
    return [low == null ? '' : `a low limit never goes below ${number(low, decimals)}`, high == null ? '' : `a high limit never above ${number(high, decimals)}`].filter(Boolean).join(', ');
  };
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const centre = step() === 'state' ? Number(data.get('centre')) : null;
    const decision = { metric: props.normal.metric, step: step(), centre, reason: String(data.get('reason')) };
    const next = await attempt(() => api.decideOwnNormal(props.patient, decision), `Own normal of ${props.normal.name.toLowerCase()}: decided`);
    if (next) { props.onDone(next); props.onClose(); }
  };
  const choice = (value: string, text: string) => (
    <label class="check"><input type="radio" name="step" value={value} checked={step() === value} onChange={() => setStep(value)} /> {text}</label>
  );
  return (
    <Dialog title={`Own normal: ${props.normal.name}`} onClose={props.onClose}>
      <form class="stack" onSubmit={(e) => void submit(e)}>
        <fieldset class="stack">
          <legend class="sr-only">What to do</legend>
          <Show when={paused()} fallback={choice('pause', 'Pause: neither learn nor let limits follow')}>{choice('resume', 'Resume: learn and follow again')}</Show>
          {choice('reset', 'Reset: forget what was learnt and begin anew')}
          {choice('state', 'State it: this level is normal for the patient')}
        </fieldset>
        <Show when={step() === 'state'}>
          <label class="field">Normal level ({props.normal.unit})<input name="centre" type="number" step="any" required value={props.normal.usual ? number(props.normal.usual.centre, props.normal.decimals) : ''} /></label>
        </Show>
        <Show when={props.normal.apply !== 'inform' && bounds()}><p class="muted small">Whatever is normal, {bounds()}. Limits set by hand win.</p></Show>
        <label class="field">Reason (kept with the decision)<input name="reason" required maxlength="500" autocomplete="off" /></label>
        <div class="dialog-foot"><button type="button" class="btn" onClick={() => props.onClose()}>Cancel</button><button class="btn primary">Decide</button></div>
      </form>
    </Dialog>
  );
};
