// Offers to open a patient whose page was refused; the banner says what is open, for how long, and ends it.
import { createSignal, For, Show, type Component } from 'solid-js';
import { serverNow } from '../live/clock';
import { hourMinute } from '../ui/format';
import { Dialog } from '../ui/Dialog';
import { attempt } from '../ui/toast';
import { EmergencyForm, EmergencyOpened } from './EmergencyForm';
import { lookForOpen, minutesLeft, offer, offeredPatient, openAccesses } from './emergency.state';
import { privacy, type BreakGlass, type BreakGlassOpened } from './privacy.api';
import './privacy.css';

export const EmergencyDialog: Component = () => {
  const [opened, setOpened] = createSignal<BreakGlassOpened>();
  const close = () => { offer(null); setOpened(undefined); };
  // Whatever was refused is asked for anew.
  const go = () => window.location.assign(`/patients/${encodeURIComponent(opened()?.access.patient ?? '')}`);
  return (
    <Show when={offeredPatient()}>
      <Dialog title="This patient is not one of yours" onClose={close}>
        <Show when={opened()} fallback={
          <>
            <p>You may not see this record: the patient is of another unit, or refused it. In an emergency you may open it.</p>
            <EmergencyForm patient={offeredPatient() ?? ''} onOpened={(o) => { setOpened(o); void lookForOpen(); }} onCancel={close} />
          </>
        }>
          {(o) => <EmergencyOpened opened={o()} onGo={go} />}
        </Show>
      </Dialog>
    </Show>
  );
};

export const EmergencyBanner: Component = () => {
  const end = async (access: BreakGlass) => {
    await attempt(() => privacy.end(access.id), 'The emergency access has ended');
    await lookForOpen();
    if (window.location.pathname.includes(encodeURIComponent(access.patient))) window.location.assign('/');
  };
  const left = (access: BreakGlass) => minutesLeft(access.until_ms, serverNow());
  return (
    <For each={openAccesses().filter((access) => access.until_ms > serverNow())}>
      {(access) => (
        <div class="emergency-banner" role="status">
          <p><strong>Emergency access</strong> to <a href={`/patients/${encodeURIComponent(access.patient)}`}>this patient</a> until {hourMinute(access.until_ms)}, {left(access)} min left. It is recorded and will be reviewed.</p>
          <button type="button" class="btn small" onClick={() => void end(access)}>End now</button>
        </div>
      )}
    </For>
  );
};
