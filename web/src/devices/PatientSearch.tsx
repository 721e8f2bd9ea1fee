// Finding the patient to put a device on.
import { createEffect, createSignal, For, on, onCleanup, Show, type Component } from 'solid-js';
import { api } from '../api/client';
import type { PatientBrief } from '../api/types';
import './devices.css';

export const PatientSearch: Component<{ onPick: (patient: PatientBrief) => void }> = (props) => {
  const [text, setText] = createSignal('');
  const [found, setFound] = createSignal<PatientBrief[] | null>(null);
  let timer = 0;
  createEffect(on(text, (q) => {
    clearTimeout(timer);
    timer = window.setTimeout(() => void api.patients(q).then((list) => q === text() && setFound(list), () => setFound([])), 200);
  }));
  onCleanup(() => clearTimeout(timer));
  return (
    <div class="patient-search">
      <label class="field">Name or record number<input type="search" autocomplete="off" autofocus value={text()} onInput={(e) => setText(e.currentTarget.value)} /></label>
      <Show when={found()}>
        {(list) => (
          <ul>
            <For each={list().slice(0, 12)} fallback={<li class="muted">No patient fits.</li>}>
              {(p) => <li><button type="button" class="pick" onClick={() => props.onPick(p)}><b>{p.name || 'Name unknown'}</b> <span class="muted">{p.age_years ?? '–'} y · {p.sex} · MRN {p.mrn}</span></button></li>}
            </For>
          </ul>
        )}
      </Show>
    </div>
  );
};
