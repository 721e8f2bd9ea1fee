// Opening a patient whom no list shows: by the exact record number.
import { createSignal, Show, type Component } from 'solid-js';
import { EmergencyForm, EmergencyOpened } from './EmergencyForm';
import { lookForOpen } from './emergency.state';
import type { BreakGlassOpened } from './privacy.api';
import { go } from '../app/router';
import './privacy.css';

const EmergencyPage: Component<{ params: Record<string, string> }> = () => {
  const [opened, setOpened] = createSignal<BreakGlassOpened>();
  return (
    <div class="page narrow">
      <div class="page-head"><h1>Emergency access</h1></div>
      <section class="card"><div class="body">
        <Show when={opened()} fallback={<EmergencyForm onOpened={(o) => { setOpened(o); void lookForOpen(); }} />}>
          {(o) => <EmergencyOpened opened={o()} onGo={() => go(`/patients/${encodeURIComponent(o().access.patient)}`)} />}
        </Show>
      </div></section>
    </div>
  );
};
export default EmergencyPage;
