// Why a patient is opened in an emergency, and for how long; says plainly what happens then.
import { createSignal, For, Show, type Component } from 'solid-js';
import { ApiError } from '../api/client';
import { dateTime } from '../ui/format';
import { privacy, type BreakGlassOpened } from './privacy.api';
import { CATEGORY_WORD } from './words';

const REASONS: [string, string][] = [
  ['emergency', 'Life or limb is in danger'], ['alarm', 'An alarm or device must be seen to now'], ['cover', 'Covering for somebody of the care team'],
  ['consult', 'Asked by whoever treats the patient'], ['other', 'Something else'],
];
const MINUTES = [15, 30, 60, 120, 240];

export const EmergencyForm: Component<{ patient?: string; onOpened: (opened: BreakGlassOpened) => void; onCancel?: () => void }> = (props) => {
  const [failure, setFailure] = createSignal('');
  const [busy, setBusy] = createSignal(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => String(form.get(name) ?? '').trim();
    setBusy(true);
    setFailure('');
    try {
      props.onOpened(await privacy.open({ patient: props.patient ?? text('patient'), reason: text('reason'), words: text('words'), minutes: Number(text('minutes')) }));
    } catch (error) {
      setFailure(error instanceof ApiError ? error.message : String(error));
    }
    setBusy(false);
  };
  return (
    <form class="stack" onSubmit={(e) => void submit(e)}>
      <div class="note">
        <p><b>What happens:</b> the record opens for you, at once and for the time that you choose, then closes by itself. Your name, the time and your reason are recorded. The charge nurse and the security officer are told, and somebody reviews it. The patient can see it.</p>
      </div>
      <Show when={!props.patient}>
        <label class="field">Record number (MRN), exactly<input name="patient" required autocomplete="off" maxlength="100" /></label>
      </Show>
      <label class="field">Reason
        <select name="reason" required><option value="">Choose…</option><For each={REASONS}>{([value, word]) => <option value={value}>{word}</option>}</For></select>
      </label>
      <label class="field">In your words (at least 10 characters)<textarea name="words" required minlength="10" maxlength="500" rows="3" /></label>
      <label class="field">For how long
        <select name="minutes"><For each={MINUTES}>{(m) => <option value={m} selected={m === 60}>{m < 60 ? `${m} minutes` : m === 60 ? '1 hour' : `${m / 60} hours`}</option>}</For></select>
      </label>
      <Show when={failure()}>{(text) => <p class="error" role="alert">{text()}</p>}</Show>
      <div class="dialog-foot">
        <Show when={props.onCancel}>{(cancel) => <button type="button" class="btn" onClick={() => cancel()()}>Cancel</button>}</Show>
        <button class="btn primary" disabled={busy()}>Open the record</button>
      </div>
    </form>
  );
};

/** What was opened, and what stays closed even now. */
export const EmergencyOpened: Component<{ opened: BreakGlassOpened; onGo: () => void }> = (props) => {
  const words = (list: string[]) => list.map((name) => CATEGORY_WORD[name] ?? name).join(', ');
  return (
    <div class="stack" role="status">
      <p>The record is open for you until <b>{dateTime(props.opened.access.until_ms)}</b>.</p>
      <Show when={props.opened.overridden.length}><p class="note">The patient refused this and allowed it for emergencies: {words(props.opened.overridden)}.</p></Show>
      <Show when={props.opened.withheld.length}><p class="note">The patient’s consent keeps this closed, in an emergency too: {words(props.opened.withheld)}.</p></Show>
      <div class="dialog-foot"><button type="button" class="btn primary" onClick={() => props.onGo()}>To the patient</button></div>
    </div>
  );
};
