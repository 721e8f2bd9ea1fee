// A step that somebody takes with words of theirs.
import { createSignal, Show, type ParentComponent } from 'solid-js';
import { Dialog } from '../ui/Dialog';
import { sentence } from '../ui/format';
import type { VersionView } from './laboratory.api';

interface SayProps { title: string; label: string; action: string; needed?: boolean; send: (text: string) => Promise<VersionView>; onClose: () => void; onDone: (view: VersionView) => void }

export const SayDialog: ParentComponent<SayProps> = (props) => {
  const [error, setError] = createSignal('');
  const [busy, setBusy] = createSignal(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const text = String(new FormData(event.currentTarget as HTMLFormElement).get('said')).trim();
    if (props.needed && !text) return setError('Say why.');
    setBusy(true);
    try {
      props.onDone(await props.send(text));
    } catch (problem) {
      setError(sentence((problem as Error).message));
      setBusy(false);
    }
  };
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <form class="stack" onSubmit={(e) => void submit(e)}>
        {props.children}
        <label class="field">{props.label}<textarea name="said" rows="3" maxlength="2000" /></label>
        <Show when={error()}><p class="error" role="alert">{error()}</p></Show>
        <div class="dialog-foot"><button type="button" class="btn" onClick={() => props.onClose()}>Cancel</button><button class="btn primary" disabled={busy()}>{props.action}</button></div>
      </form>
    </Dialog>
  );
};
