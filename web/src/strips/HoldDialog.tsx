// Keeps an interval for ever, with the reason; lists what is kept already.
import { createResource, For, Show, type Component } from 'solid-js';
import { api } from '../api/client';
import { Dialog } from '../ui/Dialog';
import { exactTime, timeOfDay } from '../ui/format';
import { attempt } from '../ui/toast';

export const HoldDialog: Component<{ patient: string; from: number; to: number; onClose: () => void }> = (props) => {
  const [holds] = createResource(() => props.patient, (p) => api.holds(p).then((h) => h.holds, () => []));
  const keep = async (event: SubmitEvent) => {
    event.preventDefault();
    const reason = String(new FormData(event.currentTarget as HTMLFormElement).get('reason')).trim();
    if (await attempt(() => api.hold(props.patient, { from_ms: props.from, to_ms: props.to, reason }).then(() => true), 'This strip is kept for ever')) props.onClose();
  };
  const touching = () => (holds() ?? []).filter((h) => h.to_ms > props.from && h.from_ms < props.to);
  return (
    <Dialog title="Keep this strip for ever" onClose={props.onClose}>
      <form class="stack" onSubmit={(e) => void keep(e)}>
        <p>All channels from <b>{exactTime(props.from).replace(/\.\d+$/, '')}</b> to <b>{timeOfDay(props.to)}</b>. Waveforms are deleted after their retention time; what is kept stays. The strip around each alert is kept by itself.</p>
        <Show when={touching().length}>
          <ul class="small muted"><For each={touching()}>{(h) => <li>Kept already: {timeOfDay(h.from_ms)} – {timeOfDay(h.to_ms)}{h.reason ? `, ${h.reason}` : ''}</li>}</For></ul>
        </Show>
        <label class="field">Reason (kept with the strip)<input name="reason" required autocomplete="off" maxlength="200" /></label>
        <div class="dialog-foot"><button type="button" class="btn" onClick={() => props.onClose()}>Cancel</button><button class="btn primary">Keep for ever</button></div>
      </form>
    </Dialog>
  );
};
