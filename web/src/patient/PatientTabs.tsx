// The pages of one patient.
import { For, Show, type Component } from 'solid-js';
import type { Tile } from '../api/types';
import { may } from '../session/session';
import { PatientNumbers } from './PatientNumbers';

const TABS: [string, string, string][] = [['overview', '', 'Overview'], ['waves', '/waves', 'Waveforms'], ['disclosure', '/disclosure', 'Full disclosure'], ['privacy', '/privacy', 'Privacy']];

export const PatientTabs: Component<{ patient: string; at: 'overview' | 'waves' | 'disclosure' | 'privacy'; tile?: Tile }> = (props) => (
  <div class="patient-tabs-row">
    <nav class="patient-tabs" aria-label="Pages of this patient">
      <For each={TABS.filter(([name]) => name !== 'privacy' || may('see-consents'))}>{([name, path, word]) => <a href={`/patients/${encodeURIComponent(props.patient)}${path}`} aria-current={props.at === name ? 'page' : undefined}>{word}</a>}</For>
    </nav>
    <Show when={props.tile}>{(tile) => <PatientNumbers tile={tile()} />}</Show>
  </div>
);
