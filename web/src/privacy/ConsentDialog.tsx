// The form that writes a consent: who may, or may not, see what, for which purpose and how long.
import { createSignal, For, Show, type Component } from 'solid-js';
import { Dialog } from '../ui/Dialog';
import { attempt } from '../ui/toast';
import { privacy, type ConsentForm, type Whose } from './privacy.api';
import { CATEGORY_WORD, PURPOSE_CHOICES, ROLE_WORD } from './words';

const KINDS: [string, string][] = [['', 'everybody'], ['role', 'everybody with a role'], ['account', 'one person'], ['care-team', 'the care team'], ['unit', 'a unit'], ['organisation', 'everybody who works here']];

/** What the form says, as the server takes it. */
export function consentOf(form: FormData): ConsentForm {
  const text = (name: string) => String(form.get(name) ?? '').trim();
  const kind = text('kind');
  const until = text('until');
  return {
    permit: text('permit') === 'yes',
    categories: form.getAll('category').map(String),
    recipients: kind ? [{ kind, name: text('name') }] : [],
    purposes: text('purpose') ? [text('purpose')] : [],
    until_ms: until ? new Date(`${until}T23:59:59`).getTime() : null,
    in_emergency: form.get('emergency') === 'on',
  };
}

export const ConsentDialog: Component<{ whose: Whose; onClose: () => void; onDone: () => void }> = (props) => {
  const [kind, setKind] = createSignal('');
  const [permit, setPermit] = createSignal(false);
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    const wanted = consentOf(new FormData(event.currentTarget as HTMLFormElement));
    const done = await attempt(() => privacy.give(props.whose, wanted), (consent) => consent.sentences[0] ?? 'The consent holds from now on');
    if (done) props.onDone();
  };
  return (
    <Dialog title="Add a consent" onClose={props.onClose}>
      <form class="stack" onSubmit={(e) => void save(e)}>
        <fieldset class="choices">
          <legend>What does the patient say?</legend>
          <label><input type="radio" name="permit" value="no" checked onChange={() => setPermit(false)} /> I refuse</label>
          <label><input type="radio" name="permit" value="yes" onChange={() => setPermit(true)} /> I allow</label>
        </fieldset>
        <label class="field">Whom is it about?
          <select name="kind" onChange={(e) => setKind(e.currentTarget.value)}><For each={KINDS}>{([value, word]) => <option value={value}>{word}</option>}</For></select>
        </label>
        <Show when={kind() === 'role'}>
          <label class="field">Role<select name="name"><For each={Object.entries(ROLE_WORD)}>{([value, word]) => <option value={value}>{word}</option>}</For></select></label>
        </Show>
        <Show when={kind() === 'account' || kind() === 'unit'}>
          <label class="field">{kind() === 'unit' ? 'Name of the unit' : 'Account name'}<input name="name" required maxlength="100" autocomplete="off" /></label>
        </Show>
        <fieldset class="choices">
          <legend>Which data? (none chosen: all)</legend>
          <For each={Object.entries(CATEGORY_WORD)}>{([value, word]) => <label><input type="checkbox" name="category" value={value} /> {word}</label>}</For>
        </fieldset>
        <label class="field">For which purpose?
          <select name="purpose"><For each={PURPOSE_CHOICES}>{([value, word]) => <option value={value}>{word}</option>}</For></select>
        </label>
        <label class="field">Until when? (empty: until it is taken back)<input type="date" name="until" /></label>
        <Show when={!permit()}>
          <label class="check"><input type="checkbox" name="emergency" checked /> In an emergency it may be opened all the same; that is recorded and reviewed</label>
        </Show>
        <div class="dialog-foot"><button type="button" class="btn" onClick={() => props.onClose()}>Cancel</button><button class="btn primary">Save the consent</button></div>
      </form>
    </Dialog>
  );
};
