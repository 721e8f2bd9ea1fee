// Trust: which devices may come in, what they prove it with, and what looked like an attack.
import { createMemo, createResource, createSignal, For, Show, type Component } from 'solid-js';
import { go } from '../app/router';
import { serverNow } from '../live/clock';
import { may } from '../session/session';
import { plural, when } from '../ui/format';
import { repeat } from '../ui/repeat';
import { ROLE_WORD } from '../privacy/words';
import { AnnounceDialog } from './ClaimDialog';
import { DeviceTrustPanel } from './DeviceTrustPanel';
import { EventsCard } from './EventsCard';
import { arrange, ends, expiring, proof, STATE_WORD, STATES, trust, type TrustedDevice } from './trust.state';
import './trust.css';

const REFRESH_MS = 15_000;

const TrustPage: Component<{ params: Record<string, string> }> = (props) => {
  const [devices, { refetch: again }] = createResource(trust.devices);
  const [events, { refetch: eventsAgain }] = createResource(trust.events);
  const [zones] = createResource(trust.zones);
  const [authority] = createResource(trust.authority);
  const [search, setSearch] = createSignal('');
  const [state, setState] = createSignal('');
  const [announcing, setAnnouncing] = createSignal(false);
  const refresh = () => { void again(); void eventsAgain(); };
  repeat(refresh, REFRESH_MS);
  const shown = createMemo(() => arrange(devices.latest ?? [], search(), state()));
  const count = (wanted: string) => (devices.latest ?? []).filter((d) => d.state === wanted).length;
  const soon = createMemo(() => expiring(devices.latest ?? [], serverNow()));
  return (
    <div class="page trust-page">
      <div class="page-head">
        <h1>Trust</h1>
        <span class="muted">{plural(devices.latest?.length ?? 0, 'device')}<Show when={count('announced')}>, <b>{count('announced')} announced</b></Show></span>
        <span class="grow" />
        <label class="row small">State
          <select class="input" value={state()} onChange={(e) => setState(e.currentTarget.value)}>
            <option value="">All</option>
            <For each={STATES}>{(s) => <option value={s}>{STATE_WORD[s]} ({count(s)})</option>}</For>
          </select>
        </label>
        <input class="input" type="search" placeholder="Id, zone, kind" aria-label="Search devices" value={search()} onInput={(e) => setSearch(e.currentTarget.value)} />
        <Show when={may('manage-trust')}><button type="button" class="btn primary" onClick={() => setAnnouncing(true)}>New device</button></Show>
      </div>
      <Show when={devices.error}><p class="error" role="alert">{(devices.error as Error).message}</p></Show>
      <EventsCard events={events.latest ?? []} onTaken={() => void eventsAgain()} />
      <Show when={soon().length}>
        <section class="card" aria-label="Certificates that end soon">
          <h2>Certificates that end soon</h2>
          <ul class="plain-list">
            <For each={soon()}>{(d) => <li><a href={`/trust/${encodeURIComponent(d.id)}`}>{d.id}</a> <span class="bad">{ends(d.certificate?.until_ms ?? 0, serverNow())}</span></li>}</For>
          </ul>
        </section>
      </Show>
      <section class="card" aria-label="Devices">
        <div class="scroll" tabindex="0" role="region" aria-label="Table of devices">
          <table class="table fold trusted">
            <thead><tr><th scope="col">Device</th><th scope="col">State</th><th scope="col">Proves itself with</th><th scope="col">Zone</th><th scope="col">Kind</th><th scope="col">Refused</th></tr></thead>
            <tbody>
              <For each={shown()} fallback={<tr><td colspan="6" class="empty">{devices.loading ? 'Loading…' : 'No device fits. One that is heard without being known appears here by itself.'}</td></tr>}>
                {(d) => <Row device={d} />}
              </For>
            </tbody>
          </table>
        </div>
      </section>
      <section class="card" aria-label="Zones">
        <h2>Zones</h2>
        <Show when={zones.latest?.length} fallback={<p class="muted">One zone with everything. Zones are set in the configuration: <code>[zone.NAME]</code>.</p>}>
          <ul class="plain-list">
            <For each={zones.latest}>
              {(z) => <li><p><b>{z.name}</b> <span class="muted">{plural(z.devices, 'device')}</span></p><p class="small">From <span class="mono">{z.networks.join(', ')}</span>; {z.listeners.join(', ') || 'all listeners'}; {z.roles.length ? `only ${z.roles.map((r) => ROLE_WORD[r] ?? r).join(', ')}` : 'all roles'}</p></li>}
            </For>
          </ul>
        </Show>
        <Show when={authority.latest?.sha256}>
          {(sha) => <p class="small">Authority of the house, SHA-256 <span class="mono wrap">{sha()}</span></p>}
        </Show>
      </section>
      <Show when={announcing()}><AnnounceDialog kinds={authority.latest?.kinds ?? []} zones={zones.latest ?? []} onClose={() => { setAnnouncing(false); refresh(); }} /></Show>
      <Show when={props.params.device} keyed>
        {(id) => <DeviceTrustPanel id={id} kinds={authority.latest?.kinds ?? []} zones={zones.latest ?? []} onChange={refresh} onClose={() => go('/trust')} />}
      </Show>
    </div>
  );
};

const Row: Component<{ device: TrustedDevice }> = (props) => {
  const d = () => props.device;
  return (
    <tr>
      <th scope="row"><a href={`/trust/${encodeURIComponent(d().id)}`}>{d().id}</a></th>
      <td data-label="State"><span class={`state ${d().state}`}>{STATE_WORD[d().state] ?? d().state}</span></td>
      <td data-label="Proves itself with">
        <Show when={d().weak} fallback={proof(d(), serverNow())}>
          <span class="chip weak" title="Whoever hears the password has it: give it a certificate">Password: weaker</span>
        </Show>
      </td>
      <td data-label="Zone" classList={{ nothing: !d().zone }}>{d().zone || '–'}</td>
      <td data-label="Kind">{d().kind || <span class="muted">not said: may send everything</span>}</td>
      <td data-label="Refused" classList={{ nothing: !d().heard }}>{d().heard ? `${d().heard!.count === 1 ? 'once' : `${d().heard!.count} times`}, last ${when(d().heard!.last_ms, serverNow())} from ${d().heard!.source || 'this machine'}` : '–'}</td>
    </tr>
  );
};
export default TrustPage;
