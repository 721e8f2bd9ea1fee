// The pages of one patient.
import { For, type Component } from 'solid-js';

const TABS: [string, string, string][] = [['overview', '', 'Overview'], ['waves', '/waves', 'Waveforms'], ['disclosure', '/disclosure', 'Full disclosure']];

export const PatientTabs: Component<{ patient: string; at: 'overview' | 'waves' | 'disclosure' }> = (props) => (
  <nav class="patient-tabs" aria-label="Pages of this patient">
    <For each={TABS}>{([name, path, word]) => <a href={`/patients/${encodeURIComponent(props.patient)}${path}`} aria-current={props.at === name ? 'page' : undefined}>{word}</a>}</For>
  </nav>
);
