// Putting a device on a patient at the bedside: wristband, device, and what the patient says. A scanner types, so everything works by
// keyboard alone: Enter goes to the next thing that is missing, and asks when nothing is.
import { createResource, createSignal, For, onCleanup, onMount, Show, type Component } from 'solid-js';
import { ApiError } from '../api/client';
import type { Proposal, ScanResult } from '../api/types';
import { plural } from '../ui/format';
import { ScanOutcome } from './ScanOutcome';
import { scanning } from './scan.api';
import { EMPTY, missing, nextDevice, request, SEPARATOR, visible, type Scanned } from './scan.state';
import './scan.css';

const REFRESH_MS = 5_000;

const ScanPage: Component = () => {
  const [scanned, setScanned] = createSignal<Scanned>(EMPTY);
  const [result, setResult] = createSignal<ScanResult | null>(null);
  const [failure, setFailure] = createSignal('');
  const [busy, setBusy] = createSignal(false);
  const [waiting, { refetch }] = createResource(scanning.proposals);
  const timer = window.setInterval(() => void refetch(), REFRESH_MS);
  onCleanup(() => clearInterval(timer));
  const inputs: Record<string, HTMLInputElement | undefined> = {};
  const focus = (name: string) => queueMicrotask(() => { inputs[name]?.focus(); inputs[name]?.select(); });
  onMount(() => focus('band'));

  const set = (part: Partial<Scanned>) => { setScanned((s) => ({ ...s, ...part })); setResult(null); setFailure(''); };
  const again = (next: Scanned) => { setScanned(next); setResult(null); setFailure(''); focus(missing(next) === 'done' ? 'device' : missing(next)); };
  const ask = async (accept: string[]) => {
    if (busy()) return;
    setBusy(true);
    setFailure('');
    try {
      setResult(await scanning.scan(request(scanned(), accept)));
      void refetch();
    } catch (error) {
      setResult(null);
      setFailure(error instanceof ApiError ? error.message : String(error));
    }
    setBusy(false);
  };
  const next = () => {
    const field = missing(scanned());
    if (field === 'done') void ask([]);
    else focus(field);
  };
  /** Scanners send the separator as Ctrl+]; Escape begins anew. */
  const keys = (event: KeyboardEvent) => {
    const input = event.target as HTMLInputElement;
    if (event.ctrlKey && event.key === ']' && (input === inputs.band || input === inputs.device)) {
      event.preventDefault();
      set(input === inputs.band ? { band: scanned().band + SEPARATOR } : { device: scanned().device + SEPARATOR });
    } else if (event.key === 'Escape') again(EMPTY);
  };
  const confirm = (one: Proposal) => again({ ...EMPTY, device: one.device });
  return (
    <div class="page scan-page">
      <div class="page-head"><h1>Put a device on a patient</h1></div>
      <div class="scan-columns">
        <section class="card" aria-label="Scan">
          <form class="body stack" onSubmit={(e) => { e.preventDefault(); next(); }} onKeyDown={keys}>
            <p class="muted">Scan the wristband, then the device’s label, then type what the patient says. Enter goes on; Escape begins anew.</p>
            <ol class="steps">
              <li classList={{ done: !!scanned().band.trim() }}>
                <label class="field">Wristband
                  <input ref={(el) => (inputs.band = el)} autocomplete="off" spellcheck={false} maxlength="80" value={visible(scanned().band)} onInput={(e) => set({ band: e.currentTarget.value.replaceAll('␝', SEPARATOR) })} />
                </label>
              </li>
              <li classList={{ done: !!scanned().device.trim() }}>
                <label class="field">Device label (UDI) or device id
                  <input ref={(el) => (inputs.device = el)} autocomplete="off" spellcheck={false} maxlength="200" value={visible(scanned().device)} onInput={(e) => set({ device: e.currentTarget.value.replaceAll('␝', SEPARATOR) })} />
                </label>
              </li>
              <li classList={{ done: !!(scanned().family.trim() || scanned().birth) }}>
                <fieldset class="second">
                  <legend>Second identifier, as the patient says it: one of the two</legend>
                  <label class="field">Date of birth<input ref={(el) => (inputs.second = el)} type="date" value={scanned().birth} onInput={(e) => set({ birth: e.currentTarget.value })} /></label>
                  <label class="field">Family name<input autocomplete="off" spellcheck={false} maxlength="100" value={scanned().family} onInput={(e) => set({ family: e.currentTarget.value })} /></label>
                </fieldset>
              </li>
            </ol>
            <label class="field order">Order number, where there is one<input autocomplete="off" spellcheck={false} maxlength="100" value={scanned().order} onInput={(e) => set({ order: e.currentTarget.value })} /></label>
            <div class="row">
              <button class="btn primary" disabled={busy()}>{missing(scanned()) === 'done' ? 'Put it on the patient' : 'Next'}</button>
              <button type="button" class="btn" onClick={() => again(EMPTY)}>Begin anew</button>
            </div>
            <Show when={failure()}>{(text) => <p class="error" role="alert">{text()}</p>}</Show>
          </form>
          <Show when={result()}>
            {(found) => <ScanOutcome result={found()} busy={busy()} onAccept={(codes) => void ask(codes)} onNext={() => again(nextDevice(scanned()))} onAgain={() => again(EMPTY)} />}
          </Show>
        </section>
        <Waiting proposals={waiting.latest ?? []} failed={!!waiting.error} onConfirm={confirm} />
      </div>
    </div>
  );
};
export default ScanPage;

/** Devices mounted at a bed that are not on who lies there. */
const Waiting: Component<{ proposals: Proposal[]; failed: boolean; onConfirm: (one: Proposal) => void }> = (props) => (
  <section class="card" aria-label="Waiting at beds">
    <header><h2>Waiting at beds</h2><span class="muted small">{plural(props.proposals.length, 'device')}</span></header>
    <ul class="waiting">
      <For each={props.proposals} fallback={<li class="empty">{props.failed ? 'The list cannot be loaded.' : 'Every device at a bed is on who lies there.'}</li>}>
        {(one) => (
          <li>
            <div><b>{one.name || one.device}</b><p class="small muted">at {one.location.unit} · {one.location.name}: {one.patient.name || 'Name unknown'}{one.on_another ? '; it is on somebody else' : ''}</p></div>
            <button type="button" class="btn small" aria-label={`Confirm ${one.name || one.device}`} onClick={() => props.onConfirm(one)}>Confirm…</button>
          </li>
        )}
      </For>
    </ul>
  </section>
);
