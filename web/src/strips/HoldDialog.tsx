// Keeps an interval for ever, with the reason; lists what is kept already and lets it go.
import { For, Show, type Component } from 'solid-js';
import { api } from '../api/client';
import type { Hold } from '../api/types';
import { Dialog } from '../ui/Dialog';
import { exactTime, timeOfDay } from '../ui/format';
import { attempt } from '../ui/toast';

export const HoldDialog: Component<{ patient: string; from: number; to: number; holds: Hold[]; onClose: () => void; onChange: () => void }> = (props) => {
  const keep = async (event: SubmitEvent) => {
    event.preventDefault();
    const reason = String(new FormData(event.currentTarget as HTMLFormElement).get('reason')).trim();
    if (await attempt(() => api.hold(props.patient, { from_ms: props.from, to_ms: props.to, reason }).then(() => true), 'This strip is kept for ever')) { props.onChange(); props.onClose(); }
  };
  const release = async (hold: Hold) => {
    if (await attempt(() => api.releaseHold(props.patient, hold.id).then(() => true), 'The strip is kept as long as all others')) props.onChange();
  };
  const touching = () => props.holds.filter((h) => h.to_ms > props.from && h.from_ms < props.to);
  return (
    <Dialog title="Keep this strip for ever" onClose={props.onClose}>
      <form class="stack" onSubmit={(e) => void keep(e)}>
        <p>All channels from <b>{exactTime(props.from).replace(/\.\d+$/, '')}</b> to <b>{timeOfDay(props.to)}</b>. Waveforms are deleted after their retention time; what is kept stays. The strip around each alert is kept by itself.</p>
        <Show when={touching().length}>
          <ul class="holds">
            <For each={touching()}>{(h) => <li>
              <span>Kept already: {timeOfDay(h.from_ms)} – {timeOfDay(h.to_ms)}<span class="muted small"> {[h.reason, h.by].filter(Boolean).join(', ')}</span></span>
              <button type="button" class="btn small quiet" onClick={() => void release(h)}>Let go<span class="sr-only"> {timeOfDay(h.from_ms)}</span></button>
            </li>}</For>
          </ul>
        </Show>
        <label class="field">Reason (kept with the strip)<input name="reason" required autocomplete="off" maxlength="500" /></label>
        <div class="dialog-foot"><button type="button" class="btn" onClick={() => props.onClose()}>Cancel</button><button class="btn primary">Keep for ever</button></div>
      </form>
    </Dialog>
  );
};
