// Which beds the central station shows.
import { createSignal, For, type Component } from 'solid-js';
import type { Tile } from '../api/types';
import { Dialog } from '../ui/Dialog';

export const BedsDialog: Component<{ tiles: Tile[]; chosen: string[]; onClose: () => void; onChoose: (beds: string[]) => void }> = (props) => {
  const [picked, setPicked] = createSignal(new Set(props.chosen.length ? props.chosen : props.tiles.map((t) => t.patient.id)));
  const toggle = (id: string, on: boolean) => setPicked((old) => { const next = new Set(old); if (on) next.add(id); else next.delete(id); return next; });
  const done = (event: SubmitEvent) => {
    event.preventDefault();
    const beds = props.tiles.map((t) => t.patient.id).filter((id) => picked().has(id));
    // What would be shown anyway is no choice: a bed that gets waveforms later joins.
    const usual = props.tiles.filter((t) => t.waves).map((t) => t.patient.id);
    props.onChoose(beds.join() === usual.join() ? [] : beds);
    props.onClose();
  };
  return (
    <Dialog title="Beds on the central station" onClose={props.onClose}>
      <form class="stack" onSubmit={done}>
        <ul class="bed-list">
          <For each={props.tiles} fallback={<li class="muted">No patient is on the ward yet.</li>}>
            {(t) => (
              <li>
                <label class="check"><input type="checkbox" checked={picked().has(t.patient.id)} onChange={(e) => toggle(t.patient.id, e.currentTarget.checked)} /> <b>{t.location?.name ?? 'No bed'}</b> {t.patient.name || 'Name unknown'}{t.waves ? '' : ' (no waveforms)'}</label>
              </li>
            )}
          </For>
        </ul>
        <div class="dialog-foot">
          <button type="button" class="btn" onClick={() => setPicked(new Set(props.tiles.map((t) => t.patient.id)))}>All</button>
          <button type="button" class="btn" onClick={() => setPicked(new Set<string>())}>None</button>
          <button class="btn primary" disabled={picked().size === 0}>Show {picked().size}</button>
        </div>
      </form>
    </Dialog>
  );
};
