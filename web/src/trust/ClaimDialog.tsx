// Claiming a device: what it is and why; then its code, once, as text and as QR code.
import { createSignal, For, Show, type Component } from 'solid-js';
import { serverNow } from '../live/clock';
import { when } from '../ui/format';
import { Dialog } from '../ui/Dialog';
import { attempt } from '../ui/toast';
import { trust, type EnrolmentCode, type Zone } from './trust.state';

interface Choices { kinds: string[]; zones: Zone[] }

/** The code of a device: shown once. */
export const CodeView: Component<{ code: EnrolmentCode }> = (props) => (
  <div class="stack code" role="status">
    <p>Give this to <b>{props.code.device}</b>. It works once, until {when(props.code.until_ms, serverNow())}, and is not shown again.</p>
    <p class="code-text mono">{props.code.code}</p>
    <img class="qr" alt={`QR code with the enrolment code of ${props.code.device}`} width="240" height="240" src={`data:image/svg+xml;charset=utf-8,${encodeURIComponent(props.code.qr_svg)}`} />
    <p class="small">Enrolment: <span class="mono wrap">{props.code.link.split('#')[0]}/simpleenroll</span>, user name {props.code.device}, password the code.</p>
    <p class="small">The device compares the authority's SHA-256: <span class="mono wrap">{props.code.authority_sha256}</span></p>
  </div>
);

export const KindAndZone: Component<Choices & { kind: string; zone: string; onKind: (kind: string) => void; onZone: (zone: string) => void }> = (props) => (
  <>
    <label class="field">Kind (says what it may send)
      <select class="input" value={props.kind} onChange={(e) => props.onKind(e.currentTarget.value)}>
        <option value="">not said: it may send everything</option>
        <For each={props.kinds}>{(kind) => <option value={kind} selected={kind === props.kind}>{kind}</option>}</For>
      </select>
    </label>
    <Show when={props.zones.length}>
      <label class="field">Zone
        <select class="input" value={props.zone} onChange={(e) => props.onZone(e.currentTarget.value)}>
          <option value="">any</option>
          <For each={props.zones}>{(zone) => <option value={zone.name} selected={zone.name === props.zone}>{zone.name}</option>}</For>
        </select>
      </label>
    </Show>
  </>
);

/** Claims a device of a known id. */
export const ClaimForm: Component<Choices & { id: string; onClaimed: (code: EnrolmentCode) => void }> = (props) => {
  const [kind, setKind] = createSignal('');
  const [zone, setZone] = createSignal('');
  const [why, setWhy] = createSignal('');
  const [activate, setActivate] = createSignal(true);
  const claim = async (submit: SubmitEvent) => {
    submit.preventDefault();
    const code = await attempt(() => trust.claim(props.id, { why: why(), zone: zone(), kind: kind(), activate: activate() }), 'Claimed');
    if (code) props.onClaimed(code);
  };
  return (
    <form class="stack" onSubmit={(e) => void claim(e)}>
      <KindAndZone kinds={props.kinds} zones={props.zones} kind={kind()} zone={zone()} onKind={setKind} onZone={setZone} />
      <label class="field">Why<input class="input" required maxlength="300" value={why()} onInput={(e) => setWhy(e.currentTarget.value)} placeholder="Bought for bed 4" /></label>
      <label class="row"><input type="checkbox" checked={activate()} onChange={(e) => setActivate(e.currentTarget.checked)} />Into service as soon as it has proved its key</label>
      <button type="submit" class="btn primary">Claim and show the code</button>
    </form>
  );
};

/** A device that was not heard yet: its id first, then the claim. */
export const AnnounceDialog: Component<Choices & { onClose: () => void }> = (props) => {
  const [id, setId] = createSignal('');
  const [code, setCode] = createSignal<EnrolmentCode | null>(null);
  return (
    <Dialog title="New device" onClose={props.onClose}>
      <Show when={!code()} fallback={<CodeView code={code()!} />}>
        <div class="stack">
          <label class="field">Device id (as in its topics)<input class="input" required pattern="[A-Za-z0-9.\-]{1,64}" maxlength="64" value={id()} onInput={(e) => setId(e.currentTarget.value.trim())} /></label>
          <Show when={/^[A-Za-z0-9.-]{1,64}$/.test(id())} fallback={<p class="small muted">1 to 64 letters, digits, dots and hyphens.</p>}>
            <ClaimForm id={id()} kinds={props.kinds} zones={props.zones} onClaimed={setCode} />
          </Show>
        </div>
      </Show>
    </Dialog>
  );
};
