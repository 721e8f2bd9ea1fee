// A new campaign: which signed image, in which rings.
import { createResource, createSignal, For, Show, type Component } from 'solid-js';
import { Dialog } from '../ui/Dialog';
import { attempt } from '../ui/toast';
import { fleet } from './fleet.api';
import { rings } from './fleet.state';

export const NewCampaignDialog: Component<{ onClose: () => void; onDone: () => void }> = (props) => {
  const [images] = createResource(fleet.images);
  const [wrong, setWrong] = createSignal('');
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => String(form.get(name) ?? '');
    const wanted = rings(text('rings'));
    if (!wanted) return setWrong('Rings are whole percentages from 1 to 100, with commas.');
    if (await attempt(() => fleet.create(text('name'), text('image'), wanted, Math.round((Number(text('soak')) || 0) * 60)).then(() => true))) props.onDone();
  };
  const here = () => (images.latest ?? []).filter((image) => image.here);
  return (
    <Dialog title="New campaign" onClose={props.onClose}>
      <Show when={here().length} fallback={<p>{images.loading ? 'Loading…' : 'No signed firmware is here. An engineer imports it with “vitalwire firmware import”.'}</p>}>
        <form class="stack" onSubmit={(e) => void save(e)}>
          <label class="field">Name<input class="input" name="name" required maxlength="100" /></label>
          <label class="field">Firmware
            <select class="input" name="image"><For each={here()}>{(i) => <option value={i.sha256}>{i.manufacturer} {i.model} {i.version}</option>}</For></select>
          </label>
          <label class="field">Rings: percent of the devices, one after the other<input class="input" name="rings" value="5, 25, 100" required /></label>
          <label class="field">Hours that each ring is watched before the next<input class="input" type="number" name="soak" min="0" max="720" step="any" value="24" /></label>
          <Show when={wrong()}><p class="error" role="alert">{wrong()}</p></Show>
          <p class="small muted">A device on a patient is never offered an update. More than one failure in twenty halts everything.</p>
          <div class="dialog-foot"><button type="button" class="btn" onClick={() => props.onClose()}>Cancel</button><button type="submit" class="btn primary">Make the draft</button></div>
        </form>
      </Show>
    </Dialog>
  );
};
