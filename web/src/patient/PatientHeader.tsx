// Who this is, where, and the most urgent alarm: as the tile's head, larger.
import { Show, type Component } from 'solid-js';
import type { Tile } from '../api/types';
import { OpenApp } from '../authorize/OpenApp';
import { AlarmMark } from '../ui/AlarmMark';
import { linkTrouble } from '../ward/WardTile';

export const PatientHeader: Component<{ tile: Tile }> = (props) => {
  const p = () => props.tile.patient;
  const alarm = () => props.tile.alarm;
  return (
    <div class="patient-head">
      <a class="btn quiet small" href="/" aria-label="Back to the ward">←</a>
      <span class="bed-badge">{props.tile.location?.name ?? 'No bed'}</span>
      <h1>{p().name || 'Name unknown'}</h1>
      <span class="muted">{p().age_years ?? '–'} years · {p().sex} · MRN {p().mrn || '–'}<Show when={p().birth_date}> · born {p().birth_date}</Show></span>
      <Show when={props.tile.location}>{(l) => <span class="chip">{l().unit}</span>}</Show>
      <Show when={props.tile.recorded}><span class="badge-recorded">RECORDED</span></Show>
      <Show when={linkTrouble(props.tile)}>{(word) => <span class="link-bad">⊘ {word()}</span>}</Show>
      <span class="grow" />
      <OpenApp patient={p().id} />
      <Show when={alarm().priority !== 'none'}>
        <a class={`alarm-link ${alarm().priority}`} href={`/alerts/${encodeURIComponent(alarm().episode)}`}>
          <AlarmMark priority={alarm().priority} quiet={!alarm().sounding} /> <span>{alarm().title}</span>
        </a>
      </Show>
    </div>
  );
};
