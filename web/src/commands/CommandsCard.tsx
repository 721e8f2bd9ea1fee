// What may be asked of a device, what was asked, and where each stands. Nothing here says "done" before the server does.
import { createEffect, createResource, createSignal, For, onCleanup, Show, type Component } from 'solid-js';
import { call } from '../api/client';
import type { PatientBrief } from '../api/types';
import { serverNow } from '../live/clock';
import { attempt } from '../ui/toast';
import { when } from '../ui/format';
import { CommandDialog } from './CommandDialog';
import { stateOf, titleOf, type CommandView, type DeviceCommands, type OfferView } from './commands.state';
import './commands.css';

const EVERY_MS = 1_000;
const SLOW_MS = 5_000;

interface Asked { offer: OfferView; confirming?: CommandView }

export const CommandsCard: Component<{ device: string; patient: PatientBrief | null | undefined }> = (props) => {
  const path = () => `/devices/${encodeURIComponent(props.device)}/commands`;
  const [page, { refetch }] = createResource(path, (p) => call<DeviceCommands>('GET', p));
  const [asked, setAsked] = createSignal<Asked>();
  // Who may not see commands sees the rest of the device.
  const known = () => (page.error ? undefined : page.latest);
  const commands = () => known()?.commands ?? [];
  const offers = () => known()?.offers ?? [];
  const open = () => commands().some((c) => !c.settled);
  createEffect(() => {
    if (!offers().length) return;
    const timer = setInterval(() => void refetch(), open() ? EVERY_MS : SLOW_MS);
    onCleanup(() => clearInterval(timer));
  });
  const cancel = async (c: CommandView) => {
    if (await attempt(() => call('POST', `/commands/${encodeURIComponent(c.id)}/cancel`, { reason: '' }).then(() => true), 'Taken back: it is not sent')) void refetch();
  };
  return (
    <Show when={offers().length || commands().length}>
      <section class="stack commands" aria-labelledby="d-commands">
        <h3 id="d-commands">Commands</h3>
        <Show when={props.patient} fallback={<p class="note">A device takes commands only while it is on a patient of yours.</p>}>
          <div class="row">
            <For each={offers().filter((o) => o.allowed)} fallback={<span class="muted">Your role may ask nothing of this device.</span>}>
              {(o) => <button type="button" class="btn small" onClick={() => setAsked({ offer: o })}>{o.title}…</button>}
            </For>
          </div>
        </Show>
        <ul class="command-list" aria-live="polite">
          <For each={commands()} fallback={<li class="muted">Nothing was asked of it so far.</li>}>
            {(c) => (
              <li>
                <div class="row">
                  <span class={`command-state ${stateOf(c.state).tone}`}><span aria-hidden="true">{stateOf(c.state).sign}</span> {stateOf(c.state).word}</span>
                  <strong>{titleOf(c, offers())}</strong>
                  <Show when={c.may_confirm && offers().find((o) => o.name === c.command)}>
                    {(o) => <button type="button" class="btn small primary" onClick={() => setAsked({ offer: o(), confirming: c })}>Agree as second person…</button>}
                  </Show>
                  <Show when={c.may_cancel}><button type="button" class="btn small" onClick={() => void cancel(c)}>Take back</button></Show>
                </div>
                <p class="small muted">{c.history.at(-1)?.detail}{c.history.at(-1)?.detail ? ' · ' : ''}{when(c.history[0]!.at_ms, serverNow())} by {c.by}{c.second ? `, agreed by ${c.second}` : ''}</p>
              </li>
            )}
          </For>
        </ul>
      </section>
      <Show when={props.patient && asked()}>
        {(a) => <CommandDialog device={props.device} patient={props.patient!} offer={a().offer} confirming={a().confirming} onClose={() => setAsked(undefined)} onDone={() => { setAsked(undefined); void refetch(); }} />}
      </Show>
    </Show>
  );
};
