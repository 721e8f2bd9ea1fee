// Asking for minutes and reasons.
import { createSignal, For, type Component } from 'solid-js';
import type { Alert, AlertAction } from '../api/types';
import { Dialog } from '../ui/Dialog';

interface DialogProps { alert: Alert; onClose: () => void; onGo: (action: AlertAction) => void }

const MINUTES = [5, 10, 15, 30, 60, 120];
const REASONS = ['Care at the bedside', 'Movement, sensor being placed', 'Known and being treated', 'Procedure under way'];

export const SnoozeDialog: Component<DialogProps> = (props) => {
  const [minutes, setMinutes] = createSignal(15);
  const [reason, setReason] = createSignal('');
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    props.onGo({ minutes: minutes(), reason: reason().trim() });
  };
  return (
    <Dialog title={`Snooze: ${props.alert.title}`} onClose={props.onClose}>
      <form class="stack" onSubmit={submit}>
        <p class="muted small">It stays on the list and sounds again when the time is over or when it worsens.</p>
        <div class="row">
          <div class="segments" role="group" aria-label="Minutes">
            <For each={MINUTES}>{(m) => <button type="button" aria-pressed={minutes() === m} onClick={() => setMinutes(m)}>{m}</button>}</For>
          </div>
          <label class="field inline">Minutes<input type="number" min="1" max="240" required value={minutes()} onInput={(e) => setMinutes(Number(e.currentTarget.value))} /></label>
        </div>
        <label class="field">Reason (kept with the decision)<input name="reason" required pattern=".*\S.*" autocomplete="off" list="snooze-reasons" value={reason()} onInput={(e) => setReason(e.currentTarget.value)} autofocus /></label>
        <datalist id="snooze-reasons"><For each={REASONS}>{(r) => <option value={r} />}</For></datalist>
        <div class="row"><For each={REASONS}>{(r) => <button type="button" class="btn small" onClick={() => setReason(r)}>{r}</button>}</For></div>
        <div class="dialog-foot"><button type="button" class="btn" onClick={() => props.onClose()}>Cancel</button><button class="btn primary">Snooze {minutes()} min</button></div>
      </form>
    </Dialog>
  );
};

export const EscalateDialog: Component<DialogProps> = (props) => {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    props.onGo({ reason: String(new FormData(event.currentTarget as HTMLFormElement).get('reason')) });
  };
  return (
    <Dialog title={`Escalate: ${props.alert.title}`} onClose={props.onClose}>
      <form class="stack" onSubmit={submit}>
        <p>It goes to the next role at once{props.alert.assigned ? `; now it is the ${props.alert.assigned}’s turn` : ''}.</p>
        <label class="field">Reason (may be empty)<input name="reason" autocomplete="off" autofocus /></label>
        <div class="dialog-foot"><button type="button" class="btn" onClick={() => props.onClose()}>Cancel</button><button class="btn primary">Escalate</button></div>
      </form>
    </Dialog>
  );
};
