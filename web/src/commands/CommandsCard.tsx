// What may be asked of a device, what was asked, and where each stands. Nothing here says "done" before the server does.
import { createEffect, createMemo, createResource, createSignal, For, on, onCleanup, Show, type Component } from 'solid-js';
import { createStore, reconcile } from 'solid-js/store';
import { call } from '../api/client';
import type { PatientBrief } from '../api/types';
import { serverNow } from '../live/clock';
import { attempt } from '../ui/toast';
import { sentence, when } from '../ui/format';
import { CommandDialog } from './CommandDialog';
import { nextOf, stateOf, titleOf, type CommandView, type DeviceCommands, type OfferView } from './commands.state';
import './commands.css';

const EVERY_MS = 1_000;
const SLOW_MS = 5_000;

interface Asked { offer: OfferView; confirming?: CommandView }

export const CommandsCard: Component<{ device: string; patient: PatientBrief | null | undefined }> = (props) => {
  const path = () => `/api/v1/devices/${encodeURIComponent(props.device)}/commands`;
  const [page, { refetch }] = createResource(path, (p) => call<DeviceCommands>('GET', p));
  const [asked, setAsked] = createSignal<Asked>();
  // What is asked again every second changes what is shown in its place: the focus stays where it is.
  const [shown, setShown] = createStore<DeviceCommands>({ offers: [], commands: [], now_ms: 0 });
  createEffect(() => {
    // Who may not see commands sees the rest of the device.
    const known = page.error ? undefined : page.latest;
    setShown('offers', reconcile(known?.offers ?? [], { key: 'name' }));
    setShown('commands', reconcile(known?.commands ?? [], { key: 'id' }));
    setShown('now_ms', known?.now_ms ?? serverNow());
  });
  const commands = () => shown.commands;
  const offers = () => shown.offers;
  const allowed = createMemo(() => offers().filter((o) => o.allowed));
  // A change of state is told to who cannot see it, once; that time passes is not.
  const newest = createMemo(() => commands().map((c) => `${c.id} ${c.state}`).join());
  const [told, setTold] = createSignal('');
  createEffect(on(newest, (_, before) => { const c = commands()[0]; if (before !== undefined && c) setTold(`${titleOf(c, offers())}: ${stateOf(c.state).word}`); }));
  const open = () => commands().some((c) => !c.settled);
  // What the server said its time was: people are not told of seconds that their own clock makes up.
  const now = () => shown.now_ms;
  createEffect(() => {
    if (!offers().length) return;
    const timer = setInterval(() => void refetch(), open() ? EVERY_MS : SLOW_MS);
    onCleanup(() => clearInterval(timer));
  });
  const cancel = async (c: CommandView) => {
    if (await attempt(() => call('POST', `/api/v1/commands/${encodeURIComponent(c.id)}/cancel`, { reason: '' }).then(() => true), 'Taken back: it is not sent')) void refetch();
  };
  return (
    <Show when={offers().length || commands().length}>
      <section class="stack commands" aria-labelledby="d-commands">
        <h3 id="d-commands">Commands</h3>
        <Show when={props.patient} fallback={<p class="note">A device takes commands only while it is on a patient of yours.</p>}>
          <div class="row">
            <For each={allowed()} fallback={<span class="muted">Your role may ask nothing of this device.</span>}>
              {(o) => <button type="button" class="btn small" onClick={() => setAsked({ offer: o })}>{o.title}…</button>}
            </For>
          </div>
        </Show>
        <p class="sr-only" role="status">{told()}</p>
        <ul class="command-list">
          <For each={commands()} fallback={<li class="muted">Nothing was asked of it so far.</li>}>
            {(c) => (
              <li>
                <div class="row">
                  <span class={`command-state ${stateOf(c.state).tone}`}><span aria-hidden="true">{stateOf(c.state).sign}</span> {stateOf(c.state).word}</span>
                  <strong>{titleOf(c, offers())}</strong>
                  <Show when={props.patient && c.may_confirm && offers().find((o) => o.name === c.command)}>
                    {(o) => <button type="button" class="btn small primary" onClick={() => setAsked({ offer: o(), confirming: c })}>Agree as second person…</button>}
                  </Show>
                  <Show when={c.may_cancel}><button type="button" class="btn small" aria-label={`Take back: ${titleOf(c, offers())}`} onClick={() => void cancel(c)}>Take back</button></Show>
                </div>
                <Show when={props.patient?.id !== c.patient}><p class="command-other">For another patient than the device is on now.</p></Show>
                <Show when={c.history.at(-1)?.detail}>{(detail) => <p>{sentence(detail())}</p>}</Show>
                <Show when={nextOf(c, now())}>{(next) => <p class="command-next">{next()}</p>}</Show>
                <p class="small muted">
                  Asked {when(c.history[0]!.at_ms, now())} by {c.by}{c.second ? `, agreed by ${c.second}` : ''}{c.settled ? `, ended ${when(c.history.at(-1)!.at_ms, now())}` : ''}
                </p>
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
