// Asking a device for something, or agreeing as second person: what, for whom by two identifiers, and only then.
import { createSignal, For, Show, type Component } from 'solid-js';
import { ApiError, call } from '../api/client';
import type { PatientBrief } from '../api/types';
import { Dialog } from '../ui/Dialog';
import { sentence } from '../ui/format';
import { unitWord } from '../waves/channels';
import { parametersOf, valuesOf, type CommandView, type OfferView, type ParameterView } from './commands.state';

interface Props { device: string; patient: PatientBrief; offer: OfferView; confirming?: CommandView; onClose: () => void; onDone: () => void }

/** One key for one wish: pressing twice, or a lost answer, asks for the same command again. */
const newKey = (): string => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');

export const CommandDialog: Component<Props> = (props) => {
  const key = newKey();
  const [form, setForm] = createSignal<Record<string, string>>({});
  const [birth, setBirth] = createSignal('');
  const [family, setFamily] = createSignal('');
  const [problem, setProblem] = createSignal('');
  const [busy, setBusy] = createSignal(false);
  const identifiers = () => (props.offer.identifiers ? { family: family().trim(), birth_date: birth().trim() } : undefined);
  const send = async (e: SubmitEvent) => {
    e.preventDefault();
    if (busy()) return;
    const parameters = props.confirming ? {} : parametersOf(props.offer, form());
    if (typeof parameters === 'string') { setProblem(parameters); return; }
    setBusy(true);
    setProblem('');
    try {
      if (props.confirming) await call('POST', `/api/v1/commands/${encodeURIComponent(props.confirming.id)}/confirm`, { identifiers: identifiers() });
      else await call('POST', `/api/v1/devices/${encodeURIComponent(props.device)}/commands`, { command: props.offer.name, patient: props.patient.id, key, parameters, identifiers: identifiers() });
      props.onDone();
    } catch (error) {
      setProblem(error instanceof ApiError ? error.message : 'It could not be asked for. Try again: it is not sent twice.');
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title={props.confirming ? 'Agree as second person' : props.offer.title} onClose={props.onClose}>
      <form class="stack" onSubmit={(e) => void send(e)}>
        <dl class="facts">
          <dt>Device</dt><dd class="mono">{props.device}</dd>
          <dt>Patient</dt><dd><strong>{props.patient.name || 'Name unknown'}</strong></dd>
          <dt>Born</dt><dd><strong>{props.patient.birth_date ?? 'unknown'}</strong></dd>
          <Show when={props.confirming}>{(c) => <><dt>Asked by</dt><dd>{c().by}</dd></>}</Show>
        </dl>
        <Show when={props.confirming}>
          {(c) => <p>{props.offer.title}<For each={valuesOf(c(), [props.offer])} fallback={null}>{(v) => <span class="command-asked"><br />{v}</span>}</For></p>}
        </Show>
        <Show when={!props.confirming}><For each={props.offer.parameters}>{(p) => <Parameter parameter={p} onInput={(text) => setForm({ ...form(), [p.name]: text })} />}</For></Show>
        <Show when={props.offer.identifiers}>
          <p class="note">Read both from the wristband, not from this page.</p>
          <label class="field">Family name<input autocomplete="off" required value={family()} onInput={(e) => setFamily(e.currentTarget.value)} /></label>
          <label class="field">Date of birth<input type="date" required value={birth()} onInput={(e) => setBirth(e.currentTarget.value)} /></label>
        </Show>
        <Show when={problem()}><p class="error" role="alert">{sentence(problem())}</p></Show>
        <p class="small muted">
          {props.offer.two_person && !props.confirming ? 'A second person must agree before it is sent. ' : ''}
          It is sent within {props.offer.expires_s} seconds or not at all, once, and only while the device is on this patient.
        </p>
        <div class="row"><button type="submit" class="btn primary" disabled={busy()}>{props.confirming ? 'Agree: send it' : props.offer.two_person ? 'Ask a second person' : 'Send'}</button><button type="button" class="btn" onClick={() => props.onClose()}>{props.confirming ? 'Do not agree' : 'Do not send'}</button></div>
      </form>
    </Dialog>
  );
};

const Parameter: Component<{ parameter: ParameterView; onInput: (text: string) => void }> = (props) => {
  const p = () => props.parameter;
  return (
    <label class="field">{p().title}{p().kind === 'number' ? ` (${p().low} to ${p().high} ${unitWord(p().unit)})` : ''}
      <Show when={p().kind === 'number'}><input inputmode="decimal" autocomplete="off" required onInput={(e) => props.onInput(e.currentTarget.value)} /></Show>
      <Show when={p().kind === 'choice'}>
        <select required onChange={(e) => props.onInput(e.currentTarget.value)}><option value="">choose…</option><For each={p().choices}>{(c) => <option value={c}>{c}</option>}</For></select>
      </Show>
      <Show when={p().kind === 'flag'}><select onChange={(e) => props.onInput(e.currentTarget.value)}><option value="false">no</option><option value="true">yes</option></select></Show>
    </label>
  );
};
