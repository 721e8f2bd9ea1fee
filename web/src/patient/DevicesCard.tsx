// Devices on this patient, now and before (PA-1).
import { createResource, createSignal, For, Show, type Component } from 'solid-js';
import { api } from '../api/client';
import type { AssociationView } from '../api/types';
import { serverNow } from '../live/clock';
import { may } from '../session/session';
import { Dialog } from '../ui/Dialog';
import { Loading } from '../ui/Loading';
import { when } from '../ui/format';
import { attempt } from '../ui/toast';

const BASIS: Record<string, string> = { person: 'by', location: 'mounted at', message: 'as the message said' };

export const DevicesCard: Component<{ patient: string; associations: AssociationView[]; onChange: () => void }> = (props) => {
  const [adding, setAdding] = createSignal(false);
  const remove = async (a: AssociationView) => {
    if (await attempt(() => api.disassociate(a.device).then(() => true), `${a.device_name} is no longer on this patient`)) props.onChange();
  };
  return (
    <section class="card" aria-labelledby="p-devices">
      <header><h2 id="p-devices">Devices</h2><span class="grow" /><Show when={may('associate')}><button type="button" class="btn small" onClick={() => setAdding(true)}>Add device</button></Show></header>
      <ul class="assoc">
        <For each={props.associations} fallback={<li class="muted">No device was ever on this patient.</li>}>
          {(a) => (
            <li classList={{ past: a.end_ms != null }}>
              <div>
                <a href={`/devices/${encodeURIComponent(a.device)}`}>{a.device_name || a.device}</a>
                <p class="small muted">{when(a.start_ms, serverNow())} – {a.end_ms == null ? 'now' : when(a.end_ms, serverNow())} · {BASIS[a.basis] ?? a.basis} {a.by}</p>
              </div>
              <Show when={a.end_ms == null && may('associate')}><button type="button" class="btn small quiet" onClick={() => void remove(a)}>Remove<span class="sr-only"> {a.device_name}</span></button></Show>
            </li>
          )}
        </For>
      </ul>
      <Show when={adding()}><AddDevice patient={props.patient} onClose={() => setAdding(false)} onDone={props.onChange} /></Show>
    </section>
  );
};

const AddDevice: Component<{ patient: string; onClose: () => void; onDone: () => void }> = (props) => {
  const [devices] = createResource(api.devices);
  const free = () => (devices()?.devices ?? []).filter((d) => !d.patient);
  const put = async (device: string) => {
    if (await attempt(() => api.associate(device, { patient: props.patient }).then(() => true), 'The device is on this patient from now on')) { props.onDone(); props.onClose(); }
  };
  return (
    <Dialog title="Put a device on this patient" onClose={props.onClose}>
      <Loading what="devices">
        <p class="muted small">Readings from now on belong to this patient; what the device said before stays where it was.</p>
        <ul class="assoc">
          <For each={free()} fallback={<li class="muted">No device is free. Take one off another patient first, under Devices.</li>}>
            {(d) => <li><div><b>{d.name || d.id}</b><p class="small muted mono">{d.id} · {d.protocol} · {d.link}</p></div><button type="button" class="btn small" onClick={() => void put(d.id)}>Put on patient</button></li>}
          </For>
        </ul>
      </Loading>
    </Dialog>
  );
};
