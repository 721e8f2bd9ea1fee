// One device: what it is, how well it speaks, on whom it is and was; putting it on a patient or at a bed.
import { createResource, createSignal, For, onCleanup, Show, type Component } from 'solid-js';
import { api } from '../api/client';
import type { AssociationView, DeviceView, PatientBrief } from '../api/types';
import { go } from '../app/router';
import { CommandsCard } from '../commands/CommandsCard';
import { serverNow } from '../live/clock';
import { may } from '../session/session';
import { protocolName } from '../source/MessageFacts';
import { Dialog } from '../ui/Dialog';
import { attempt } from '../ui/toast';
import { exactTime, signedMs, when } from '../ui/format';
import { CLOCK_WORD } from './devices.state';
import { LinkSign } from './DeviceRow';
import { ModelCard } from './ModelCard';
import { PatientSearch } from './PatientSearch';

const REFRESH_MS = 2_000;

export const DevicePanel: Component<{ id: string; onChange: () => void }> = (props) => {
  const [detail, { refetch }] = createResource(() => props.id, (id) => api.device(id));
  // What was asked for is in force a moment after the answer, and others change things, too: the panel is never older than the table behind it.
  const timer = window.setInterval(() => void refetch(), REFRESH_MS);
  onCleanup(() => clearInterval(timer));
  const changed = () => { void refetch(); props.onChange(); };
  return (
    <Dialog title={detail.latest?.device.name || props.id} side onClose={() => go('/devices')}>
      <Show when={!detail.error} fallback={<p class="error" role="alert">{(detail.error as Error | undefined)?.message}</p>}>
        <Show when={detail.latest} fallback={<p class="empty">Loading the device…</p>}>
          {(d) => (
            <>
              <Standing device={d().device} onChange={changed} />
              <CommandsCard device={d().device.id} patient={d().device.patient} />
              <Facts device={d().device} />
              <ModelCard id={d().device.id} />
              <Show when={may('manage-devices') && may('see-patients')}><Mount device={d().device} onChange={changed} /></Show>
              <History associations={d().associations} />
            </>
          )}
        </Show>
      </Show>
    </Dialog>
  );
};

/** On whom it is; putting it on somebody, taking it off. */
const Standing: Component<{ device: DeviceView; onChange: () => void }> = (props) => {
  const [searching, setSearching] = createSignal(false);
  const put = async (patient: PatientBrief) => {
    if (await attempt(() => api.associate(props.device.id, { patient: patient.id }).then(() => true), `On ${patient.name || patient.mrn} from now on`)) {
      setSearching(false);
      props.onChange();
    }
  };
  const off = async () => {
    if (await attempt(() => api.disassociate(props.device.id).then(() => true), 'On nobody from now on')) props.onChange();
  };
  return (
    <section class="stack">
      <Show when={props.device.standing === 'announced' && !props.device.on_patient}>
        <p class="note">Nobody has put this device on a patient yet. What it says is kept and belongs to nobody until then.</p>
      </Show>
      <div class="row">
        <Show when={props.device.patient} fallback={<span>{props.device.on_patient ? 'On a patient who is not one of yours: it is in use.' : 'On nobody.'}</span>}>
          {(p) => <span>On <a href={`/patients/${encodeURIComponent(p().id)}`}>{p().name || 'Name unknown'}</a> <span class="muted">MRN {p().mrn}</span></span>}
        </Show>
        <Show when={may('associate')}>
          <button type="button" class="btn small" classList={{ primary: !props.device.patient }} aria-expanded={searching()} onClick={() => setSearching(!searching())}>{props.device.patient ? 'Move to another patient' : 'Put on a patient'}</button>
          <Show when={props.device.patient}><button type="button" class="btn small" onClick={() => void off()}>Take off</button></Show>
        </Show>
      </div>
      <Show when={searching()}><PatientSearch onPick={(p) => void put(p)} /></Show>
    </section>
  );
};

const Facts: Component<{ device: DeviceView }> = (props) => {
  const d = () => props.device;
  return (
    <dl class="facts">
      <dt>Link</dt><dd><LinkSign link={d().link} /></dd>
      <dt>Id</dt><dd class="mono">{d().id}</dd>
      <dt>Model</dt><dd>{d().model || '–'}{d().serial ? `, serial ${d().serial}` : ''}{d().version ? `, firmware ${d().version}` : ''}</dd>
      <dt>Protocol</dt><dd>{protocolName(d().protocol)}</dd>
      <dt>Last heard</dt><dd>{d().last_seen_ms ? exactTime(d().last_seen_ms!) : 'never'}</dd>
      <dt>Messages</dt><dd>{d().messages.toLocaleString('en-GB')}, {d().values.toLocaleString('en-GB')} values, {d().per_minute.toFixed(1)} messages a minute</dd>
      <dt>Not understood</dt><dd>{d().problems}</dd>
      <dt>Clock</dt><dd>{CLOCK_WORD[d().clock] ?? d().clock}{d().clock_offset_ms == null ? '' : `, ${signedMs(d().clock_offset_ms!)} from ours`}</dd>
      <dt>Delay</dt><dd>{d().delay_ms == null ? '–' : `${signedMs(d().delay_ms!).replace('+', '')} from measuring to receiving`}</dd>
      <dt>Battery</dt><dd>{d().battery == null ? '–' : `${Math.round(d().battery!)} %`}</dd>
    </dl>
  );
};

const Mount: Component<{ device: DeviceView; onChange: () => void }> = (props) => {
  const [places] = createResource(api.locations);
  const mount = async (location: string) => {
    if (await attempt(() => api.mount(props.device.id, { location: location || null }).then(() => true), location ? 'Mounted' : 'No longer mounted')) props.onChange();
  };
  return (
    <label class="field">Mounted at bed (readings go to whoever is in it)
      <select value={props.device.location?.id ?? ''} onChange={(e) => void mount(e.currentTarget.value)}>
        <option value="">not mounted</option>
        <For each={places() ?? []}>{(p) => <option value={p.location.id} selected={p.location.id === props.device.location?.id}>{p.location.unit} · {p.location.name}{p.patient ? ` · ${p.patient.name}` : ' · free'}</option>}</For>
      </select>
    </label>
  );
};

const History: Component<{ associations: AssociationView[] }> = (props) => (
  <section>
    <h3>On whom, since when</h3>
    <ul class="assoc">
      <For each={props.associations} fallback={<li class="muted">On nobody so far.</li>}>
        {(a) => (
          <li><div><a href={`/patients/${encodeURIComponent(a.patient.id)}`}>{a.patient.name || a.patient.mrn}</a>
            <p class="small muted">{when(a.start_ms, serverNow())} – {a.end_ms == null ? 'now' : when(a.end_ms, serverNow())} · {a.basis} {a.by}</p></div></li>
        )}
      </For>
    </ul>
  </section>
);
