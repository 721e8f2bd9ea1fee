// The next step of a version: approve, refuse, withdraw, take back, put in force (also without review); its signed file.
import { createSignal, Match, Show, Switch, type Component } from 'solid-js';
import { ConfirmDialog } from '../ui/ConfirmDialog';
import { sentence } from '../ui/format';
import { attempt } from '../ui/toast';
import { lab, type VersionView } from './laboratory.api';
import { SayDialog } from './SayDialog';

type Step = 'approve' | 'reject' | 'withdraw' | 'force' | 'back' | 'emergency';

export const VersionSteps: Component<{ view: VersionView; onChange: (view: VersionView) => void; onStale: () => void }> = (props) => {
  const [step, setStep] = createSignal<Step | null>(null);
  const number = () => props.view.version.number;
  const may = () => props.view.may;
  const unreviewed = () => props.view.state === 'unreviewed';
  const close = () => setStep(null);
  const done = (view: VersionView) => { close(); props.onChange(view); };
  const force = async () => {
    const view = await attempt(() => lab.putInForce(number()), `Version ${number()} is in force`);
    if (view) done(view);
    else { close(); props.onStale(); }
  };
  return (
    <>
      <Show when={props.view.why_not}>{(why) => <p class="lab-caution" role="note">{sentence(why())}</p>}</Show>
      <div class="row">
        <Show when={may().approve}><button type="button" class="btn primary" onClick={() => setStep('approve')}>Approve…</button></Show>
        <Show when={may().put_in_force}><button type="button" class="btn primary" onClick={() => setStep('force')}>Put in force…</button></Show>
        <Show when={!unreviewed() && may().reject}><button type="button" class="btn" onClick={() => setStep('reject')}>Refuse…</button></Show>
        <Show when={!unreviewed() && may().withdraw}><button type="button" class="btn" onClick={() => setStep('withdraw')}>Withdraw…</button></Show>
        <Show when={unreviewed() && (may().reject || may().withdraw)}><button type="button" class="btn danger" onClick={() => setStep('back')}>Take back…</button></Show>
        <Show when={may().emergency}><button type="button" class="btn danger" onClick={() => setStep('emergency')}>Put in force without review…</button></Show>
        <Show when={props.view.version.approved_by}><a class="btn" href={lab.signed(number())} download={`alarm-policy-${number()}.policy`}>Signed file</a></Show>
      </div>
      <Switch>
        <Match when={step() === 'approve'}>
          <SayDialog title={`Approve version ${number()}?`} label="What you looked at (may stay empty)" action="Approve" onClose={close} onDone={done} send={(text) => lab.approve(number(), text)}>
            <p>You say that you have looked at the numbers and at what they would have done, and agree. It is signed with the key of the house and your name stands in it. {unreviewed() ? 'It is in force already, and stays so.' : 'It is not in force by that.'}</p>
          </SayDialog>
        </Match>
        <Match when={step() === 'reject'}>
          <SayDialog title={`Refuse version ${number()}?`} label="Why" action="Refuse" needed onClose={close} onDone={done} send={(text) => lab.reject(number(), text)}>
            <p>Nothing changes for patients. Who proposed it sees your reason.</p>
          </SayDialog>
        </Match>
        <Match when={step() === 'withdraw'}>
          <SayDialog title={`Withdraw version ${number()}?`} label="Why" action="Withdraw" needed onClose={close} onDone={done} send={(text) => lab.reject(number(), text)}>
            <p>It can no longer be approved or put in force. It stays in the list.</p>
          </SayDialog>
        </Match>
        <Match when={step() === 'back'}>
          <SayDialog title={`Take back version ${number()}?`} label="Why" action="Take back now" needed onClose={close} onDone={done} send={(text) => lab.reject(number(), text)}>
            <p>From now on the policy decides again that was in force before, for every patient of the house.</p>
          </SayDialog>
        </Match>
        <Match when={step() === 'emergency'}>
          <SayDialog title={`Put version ${number()} in force without review?`} label="Why it cannot wait" action="Put in force now" needed onClose={close} onDone={done} send={(text) => lab.force(number(), text)}>
            <p>From now on this policy decides for every patient of the house what alerts, how urgently, and who is called. Nobody else has looked at it.</p>
            <p>The laboratory shows it with your name as not reviewed until somebody else approves it or takes it back, and it stands in the audit log.</p>
          </SayDialog>
        </Match>
        <Match when={step() === 'force'}>
          <ConfirmDialog title={`Put version ${number()} in force?`} action="Put in force now" onClose={close} onYes={force}>
            <p>From now on this policy decides for every patient of the house what alerts, how urgently, and who is called. The policy that is in force until now ends.</p>
          </ConfirmDialog>
        </Match>
      </Switch>
    </>
  );
};
