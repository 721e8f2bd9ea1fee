// Who is speaking, and how well.
import { createMemo, createSignal, For, onCleanup, Show, type Component } from 'solid-js';
import { createStore, reconcile } from 'solid-js/store';
import { api } from '../api/client';
import type { DevicePage } from '../api/types';
import { ward } from '../live/store';
import { may } from '../session/session';
import { plural } from '../ui/format';
import { DevicePanel } from './DevicePanel';
import { DeviceRow } from './DeviceRow';
import { LoadPanel } from './LoadPanel';
import { arrangeDevices, type Column, type DeviceOrder } from './devices.state';
import './devices.css';

const REFRESH_MS = 3_000;
const COLUMNS: { by: Column; label: string; num?: boolean }[] = [
  { by: 'name', label: 'Device' }, { by: 'link', label: 'Link' }, { by: 'patient', label: 'On' }, { by: 'seen', label: 'Last heard', num: true },
  { by: 'rate', label: 'Messages/min', num: true }, { by: 'delay', label: 'Delay', num: true }, { by: 'clock', label: 'Clock', num: true },
  { by: 'battery', label: 'Battery', num: true }, { by: 'problems', label: 'Not understood', num: true },
];

const DevicesPage: Component<{ params: Record<string, string> }> = (props) => {
  const [page, setPage] = createStore<{ data: DevicePage | null }>({ data: null });
  const [error, setError] = createSignal('');
  const [search, setSearch] = createSignal('');
  const [link, setLink] = createSignal('');
  const [order, setOrder] = createSignal<DeviceOrder>({ by: 'name', down: false });
  const load = () => api.devices().then((next) => { setPage('data', reconcile(next, { key: 'id' })); setError(''); }, (e: Error) => setError(e.message));
  void load();
  const timer = window.setInterval(() => void load(), REFRESH_MS);
  onCleanup(() => clearInterval(timer));
  const devices = createMemo(() => arrangeDevices([...(page.data?.devices ?? [])], order(), search(), link()));
  const announced = () => devices().filter((d) => d.standing === 'announced').length;
  const sort = (by: Column) => setOrder((o) => ({ by, down: o.by === by && !o.down }));
  return (
    <div class="page devices-page">
      <div class="page-head">
        <h1>Devices</h1>
        <span class="muted">{plural(page.data?.devices.length ?? 0, 'device')}<Show when={announced()}>, <b>{announced()} announced</b></Show></span>
        <span class="grow" />
        <Show when={may('associate')}><a class="btn" href="/scan">Scan…</a></Show>
        <label class="row small">Link
          <select class="input" value={link()} onChange={(e) => setLink(e.currentTarget.value)}>
            <option value="">All</option><option value="online">Online</option><option value="silent">Silent</option><option value="offline">Offline</option><option value="lost">Lost</option>
          </select>
        </label>
        <input class="input" type="search" placeholder="Name, id, bed" aria-label="Search devices" value={search()} onInput={(e) => setSearch(e.currentTarget.value)} />
      </div>
      <Show when={error()}><p class="error" role="alert">{error()}</p></Show>
      <Show when={ward.load ?? page.data?.load}>{(load) => <LoadPanel load={load()} />}</Show>
      <section class="card" aria-label="Devices">
        <div class="scroll" tabindex="0" role="region" aria-label="Table of devices">
          <table class="table fold devices">
            <thead>
              <tr>
                <For each={COLUMNS}>
                  {(c) => (
                    <th scope="col" class={c.num ? 'num' : ''} aria-sort={order().by === c.by ? (order().down ? 'descending' : 'ascending') : undefined}>
                      <button type="button" onClick={() => sort(c.by)}>{c.label}<span aria-hidden="true">{order().by === c.by ? (order().down ? '▼' : '▲') : ''}</span></button>
                    </th>
                  )}
                </For>
              </tr>
            </thead>
            <tbody>
              <For each={devices()} fallback={<tr><td colspan="9" class="empty">{page.data ? 'No device fits. A device that speaks for the first time appears here by itself.' : 'Loading…'}</td></tr>}>
                {(d) => <DeviceRow device={d} now={page.data?.now_ms ?? 0} picked={props.params.device === d.id} />}
              </For>
            </tbody>
          </table>
        </div>
      </section>
      <Show when={props.params.device} keyed>{(id) => <DevicePanel id={id} onChange={() => void load()} />}</Show>
    </div>
  );
};
export default DevicesPage;
