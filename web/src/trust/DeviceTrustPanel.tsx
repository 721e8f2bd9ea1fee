// One device: where it is in its life, what it may do next, its certificates and rights.
import { createResource, createSignal, For, Show, type Component } from 'solid-js';
import { serverNow } from '../live/clock';
import { may } from '../session/session';
import { ConfirmDialog } from '../ui/ConfirmDialog';
import { Dialog } from '../ui/Dialog';
import { dateTime, when } from '../ui/format';
import { attempt } from '../ui/toast';
import { ClaimForm, CodeView, KindAndZone } from './ClaimDialog';
import { ends, REASONS, STATE_MEANS, STATE_WORD, STEP_WORD, trust, type Certificate, type EnrolmentCode, type TrustedDevice, type Zone } from './trust.state';

interface PanelProps { id: string; kinds: string[]; zones: Zone[]; onChange: () => void; onClose: () => void }

export const DeviceTrustPanel: Component<PanelProps> = (props) => {
  const [detail, { refetch }] = createResource(() => props.id, trust.device);
  const [code, setCode] = createSignal<EnrolmentCode | null>(null);
  const changed = () => { void refetch(); props.onChange(); };
  const claimed = (made: EnrolmentCode) => { setCode(made); changed(); };
  return (
    <Dialog title={props.id} side onClose={props.onClose}>
      <Show when={!detail.error} fallback={<p class="error" role="alert">{(detail.error as Error | undefined)?.message}</p>}>
        <Show when={detail.latest} fallback={<p class="empty">Loading the device…</p>}>
          {(d) => (
            <>
              <p><span class={`state ${d().device.state}`}>{STATE_WORD[d().device.state]}.</span> {STATE_MEANS[d().device.state]}</p>
              <Show when={d().device.weak}><p class="note">It comes in with a password: whoever hears it has it. A certificate is stronger: give it an enrolment code.</p></Show>
              <Show when={code()}>{(made) => <CodeView code={made()} />}</Show>
              <Show when={may('manage-trust')}>
                <Show when={d().device.steps.includes('claim')}><section class="stack"><h3>Claim</h3><ClaimForm id={props.id} kinds={props.kinds} zones={props.zones} onClaimed={claimed} /></section></Show>
                <Steps device={d().device} onChange={changed} onCode={claimed} />
                <Show when={!d().device.steps.includes('claim')}><RightsForm device={d().device} kinds={props.kinds} zones={props.zones} onChange={changed} /></Show>
              </Show>
              <Certificates list={d().certificates} onChange={changed} />
              <section>
                <h3>Life</h3>
                <ol class="plain-list life">
                  <For each={d().life} fallback={<li class="muted">Heard without being known.</li>}>
                    {(step) => <li><b>{STATE_WORD[step.became] ?? step.became}</b> <span class="small muted">{dateTime(step.at_ms)} by {step.who}</span><Show when={step.why}><p class="small">{step.why}</p></Show></li>}
                  </For>
                </ol>
              </section>
            </>
          )}
        </Show>
      </Show>
    </Dialog>
  );
};

/** The legal steps, with a reason. */
const Steps: Component<{ device: TrustedDevice; onChange: () => void; onCode: (code: EnrolmentCode) => void }> = (props) => {
  const [why, setWhy] = createSignal('');
  const [retiring, setRetiring] = createSignal(false);
  const steps = () => props.device.steps.filter((step) => step !== 'claim');
  const step = async (name: string) => {
    if (await attempt(() => trust.step(props.device.id, name, why()).then(() => true), 'Done')) {
      setWhy('');
      props.onChange();
    }
  };
  const enrol = async () => {
    const made = await attempt(() => trust.code(props.device.id), 'A new code; any before no longer works');
    if (made) props.onCode(made);
  };
  return (
    <section class="stack">
      <Show when={steps().length}>
        <h3>What next</h3>
        <label class="field">Why, then choose<input class="input" maxlength="300" value={why()} onInput={(e) => setWhy(e.currentTarget.value)} placeholder="Kept with the step" /></label>
        <div class="row">
          <For each={steps()}>{(name) => <button type="button" class="btn small" classList={{ danger: name === 'retire' }} disabled={!why().trim()} onClick={() => (name === 'retire' ? setRetiring(true) : void step(name))}>{STEP_WORD[name] ?? name}</button>}</For>
          <Show when={['claimed', 'verified', 'active'].includes(props.device.state)}><button type="button" class="btn small" onClick={() => void enrol()}>New enrolment code</button></Show>
        </div>
      </Show>
      <Show when={retiring()}>
        <ConfirmDialog title={`Retire ${props.device.id}?`} action="Retire" onClose={() => setRetiring(false)} onYes={() => step('retire').then(() => setRetiring(false))}>
          <p>It goes out of service for good: its connections end within a second and its certificates are revoked. It comes back only as a new device.</p>
        </ConfirmDialog>
      </Show>
    </section>
  );
};

const RightsForm: Component<{ device: TrustedDevice; kinds: string[]; zones: Zone[]; onChange: () => void }> = (props) => {
  const [kind, setKind] = createSignal(props.device.kind);
  const [zone, setZone] = createSignal(props.device.zone);
  const [metrics, setMetrics] = createSignal(props.device.metrics.join(' '));
  const save = async (submit: SubmitEvent) => {
    submit.preventDefault();
    const rights = { zone: zone(), kind: kind(), metrics: metrics().split(/\s+/).filter(Boolean) };
    if (await attempt(() => trust.rights(props.device.id, rights).then(() => true), 'Rights kept; in force now')) props.onChange();
  };
  return (
    <details>
      <summary>What it may send, and where it belongs</summary>
      <form class="stack" onSubmit={(e) => void save(e)}>
        <KindAndZone kinds={props.kinds} zones={props.zones} kind={kind()} zone={zone()} onKind={setKind} onZone={setZone} />
        <label class="field">Metrics beside its kind's (reference ids, MDC_ECG_*, groups)<input class="input mono" value={metrics()} onInput={(e) => setMetrics(e.currentTarget.value)} /></label>
        <button type="submit" class="btn small">Keep</button>
      </form>
    </details>
  );
};

const Certificates: Component<{ list: Certificate[]; onChange: () => void }> = (props) => {
  const [revoking, setRevoking] = createSignal<string>();
  const [reason, setReason] = createSignal('key-compromise');
  const revoke = async (serial: string) => {
    const done = await attempt(() => trust.revoke(serial, reason()).then(() => true), 'Revoked; sessions opened with it have ended');
    setRevoking(undefined);
    if (done) props.onChange();
  };
  return (
    <section class="stack">
      <h3>Certificates</h3>
      <ul class="plain-list">
        <For each={props.list} fallback={<li class="muted">None.</li>}>
          {(c) => (
            <li>
              <p class="mono small wrap">{c.serial}</p>
              <p class="small">{c.how}; <Show when={c.revoked_ms} fallback={ends(c.until_ms, serverNow())}>{(at) => <span class="bad">revoked {when(at(), serverNow())} by {c.revoked_by}: {REASONS[c.reason] ?? c.reason}</span>}</Show></p>
              <Show when={may('manage-trust') && c.revoked_ms == null}><button type="button" class="btn small danger" aria-label={`Revoke ${c.serial}`} onClick={() => setRevoking(c.serial)}>Revoke…</button></Show>
            </li>
          )}
        </For>
      </ul>
      <Show when={revoking()}>
        {(serial) => (
          <ConfirmDialog title="Revoke this certificate?" action="Revoke" onClose={() => setRevoking(undefined)} onYes={() => revoke(serial())}>
            <p class="mono small wrap">{serial()}</p>
            <label class="field">Why
              <select class="input" value={reason()} onChange={(e) => setReason(e.currentTarget.value)}><For each={Object.entries(REASONS)}>{([name, word]) => <option value={name}>{word}</option>}</For></select>
            </label>
            <p>What was opened with it ends within a second, and it never works again. The device needs a new enrolment code.</p>
          </ConfirmDialog>
        )}
      </Show>
    </section>
  );
};
