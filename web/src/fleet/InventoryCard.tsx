// Every device with its firmware and what the firmware policy says of it.
import { createResource, createSignal, For, Show, type Component } from 'solid-js';
import { when } from '../ui/format';
import { repeat } from '../ui/repeat';
import { fleet } from './fleet.api';
import { BREAK_WORD, VERDICT_WORD } from './fleet.state';

export const InventoryCard: Component = () => {
  const [search, setSearch] = createSignal('');
  const [verdict, setVerdict] = createSignal('');
  const [page, { refetch }] = createResource(() => ({ q: search(), verdict: verdict() }), ({ q, verdict: v }) => fleet.inventory(q, v));
  repeat(refetch, 30_000);
  const count = (name: string) => page.latest?.verdicts[name] ?? 0;
  return (
    <section class="card" aria-label="Inventory">
      <div class="row fleet-tools">
        <input class="input" type="search" placeholder="Id, model, serial, UDI" aria-label="Search the inventory" value={search()} onInput={(e) => setSearch(e.currentTarget.value)} />
        <label class="row small">Firmware
          <select class="input" value={verdict()} onChange={(e) => setVerdict(e.currentTarget.value)}>
            <option value="">All</option>
            <For each={['below', 'ok', 'unknown']}>{(name) => <option value={name}>{VERDICT_WORD[name]} ({count(name)})</option>}</For>
          </select>
        </label>
        <span class="muted small" role="status">{page.latest ? `${page.latest.devices.length} of ${page.latest.total}` : ''}</span>
      </div>
      <Show when={page.error as Error | undefined}>{(error) => <p class="error" role="alert">{error().message}</p>}</Show>
      <div class="scroll" tabindex="0" role="region" aria-label="Table of the inventory">
        <table class="table fold">
          <thead><tr><th scope="col">Device</th><th scope="col">Model</th><th scope="col">Serial, UDI</th><th scope="col">Firmware</th><th scope="col">Heard</th></tr></thead>
          <tbody>
            <For each={page.latest?.devices ?? []} fallback={<tr><td colspan="5" class="empty">{page.loading ? 'Loading…' : 'No device fits. A device appears here when it is heard, or from a list.'}</td></tr>}>
              {(d) => (
                <tr>
                  <th scope="row"><span class="mono">{d.device}</span><Show when={d.asset}><div class="small muted">{d.asset}</div></Show></th>
                  <td data-label="Model" classList={{ nothing: !d.manufacturer && !d.model }}>{d.manufacturer} {d.model || '–'}</td>
                  <td data-label="Serial" classList={{ nothing: !d.serial && !d.udi_di }}><span class="mono">{d.serial || '–'}</span><Show when={d.udi_di}><div class="small muted mono">{d.udi_di}</div></Show></td>
                  <td data-label="Firmware">
                    <span class="mono">{d.firmware || 'not told'}</span> <span class={`chip verdict ${d.verdict}`}>{VERDICT_WORD[d.verdict] ?? d.verdict}</span>
                    <Show when={d.why}><div class="small muted">{d.why}</div></Show>
                  </td>
                  <td data-label="Heard">
                    {d.heard_ms ? when(d.heard_ms, page.latest?.now_ms ?? 0) : 'never'}
                    <For each={d.breaks}>{(kind) => <div class="small bad">{BREAK_WORD[kind] ?? kind}</div>}</For>
                  </td>
                </tr>
              )}
            </For>
          </tbody>
        </table>
      </div>
    </section>
  );
};
