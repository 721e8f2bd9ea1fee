// Asks once more before something that cannot be undone, or that ends somebody's work.
import { createSignal, type ParentComponent } from 'solid-js';
import { Dialog } from './Dialog';

export const ConfirmDialog: ParentComponent<{ title: string; action: string; onClose: () => void; onYes: () => Promise<unknown> }> = (props) => {
  const [busy, setBusy] = createSignal(false);
  const yes = () => { setBusy(true); void props.onYes().finally(() => setBusy(false)); };
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      {props.children}
      <div class="dialog-foot">
        <button type="button" class="btn" autofocus onClick={() => props.onClose()}>Cancel</button>
        <button type="button" class="btn danger" disabled={busy()} onClick={yes}>{props.action}</button>
      </div>
    </Dialog>
  );
};
