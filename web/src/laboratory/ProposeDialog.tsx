// Proposing a tried policy to somebody else.
import { createSignal, Show, type Component } from 'solid-js';
import { go } from '../app/router';
import { Dialog } from '../ui/Dialog';
import { sentence } from '../ui/format';
import { toast } from '../ui/toast';
import { lab, type Run } from './laboratory.api';

const TITLE_MAX = 120;

export const ProposeDialog: Component<{ run: Run; candidate: number; name: string; onClose: () => void }> = (props) => {
  const [error, setError] = createSignal('');
  const [busy, setBusy] = createSignal(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => String(data.get(name)).trim();
    if (!text('title') || !text('reason')) return setError('Say what it changes and why: the second person decides by it.');
    setBusy(true);
    try {
      const view = await lab.propose({ run: props.run.id, candidate: props.candidate, title: text('title'), reason: text('reason') });
      props.onClose();
      toast(`Version ${view.version.number} is proposed`);
      go(`/laboratory/versions/${view.version.number}`);
    } catch (problem) {
      setError(sentence((problem as Error).message));
      setBusy(false);
    }
  };
  return (
    <Dialog title="Propose this policy" onClose={props.onClose}>
      <form class="stack" onSubmit={(e) => void submit(e)}>
        <p>{props.name}</p>
        <label class="field">What it changes, in a line<input name="title" maxlength={TITLE_MAX} autocomplete="off" value={(props.run.title || props.name).slice(0, TITLE_MAX)} /></label>
        <label class="field">Why<textarea name="reason" rows="3" maxlength="2000" /></label>
        <p class="muted small">The figures of this comparison are kept with it. No patient names. Nothing changes until somebody else approves it and it is put in force.</p>
        <Show when={error()}><p class="error" role="alert">{error()}</p></Show>
        <div class="dialog-foot"><button type="button" class="btn" onClick={() => props.onClose()}>Cancel</button><button class="btn primary" disabled={busy()}>Propose</button></div>
      </form>
    </Dialog>
  );
};
