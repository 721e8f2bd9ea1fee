// What is known against devices; somebody says, with a reason, which may stay.
import { createResource, createSignal, For, Show, type Component } from 'solid-js';
import { may } from '../session/session';
import { Dialog } from '../ui/Dialog';
import { exactTime } from '../ui/format';
import { attempt } from '../ui/toast';
import { fleet, type Vulnerability } from './fleet.api';

export const VulnerabilitiesCard: Component = () => {
  const [found, { refetch }] = createResource(fleet.vulnerabilities);
  const [asked, setAsked] = createSignal<Vulnerability>();
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    const v = asked();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const device = form.get('all') ? '' : v?.device ?? '';
    if (v && (await attempt(() => fleet.acknowledge(v.id, device, String(form.get('reason') ?? '')).then(() => true)))) {
      setAsked(undefined);
      void refetch();
    }
  };
  return (
    <section class="card" aria-label="Vulnerabilities">
      <Show when={found.error as Error | undefined}>{(error) => <p class="error" role="alert">{error().message}</p>}</Show>
      <ul class="fleet-list">
        <For each={found.latest ?? []} fallback={<li class="empty">{found.loading ? 'Loading…' : 'Nothing known. Advisories of makers and of the security office are imported by an engineer.'}</li>}>
          {(v) => (
            <li>
              <p><span class={`chip severity ${v.severity}`}>{v.severity}{v.cvss == null ? '' : ` ${v.cvss}`}</span> <b>{v.id}</b> on <b class="mono">{v.device}</b> <span class="chip">{v.certain ? v.status : `perhaps ${v.status}`}</span></p>
              <p class="small">{v.title} {v.via === 'model' ? '' : `In ${v.via}.`} {v.version ? `Version ${v.version}.` : 'Version unknown.'} {v.remediation}</p>
              <Show when={v.acknowledged} fallback={
                <Show when={may('manage-firmware') && v.status === 'affected'}><button type="button" class="btn small" onClick={() => setAsked(v)}>Acknowledge<span class="sr-only"> {v.id} on {v.device}</span></button></Show>
              }>
                {(said) => <p class="small muted">{said().by}, {exactTime(said().at_ms)}: “{said().reason}”</p>}
              </Show>
            </li>
          )}
        </For>
      </ul>
      <Show when={asked()}>
        {(v) => (
          <Dialog title={`Acknowledge ${v().id}`} onClose={() => setAsked(undefined)}>
            <form class="stack" onSubmit={(e) => void save(e)}>
              <label class="stack">Why may it stay?<textarea class="input" name="reason" required maxlength="500" rows="3" /></label>
              <label class="check"><input type="checkbox" name="all" /> On all devices, not only {v().device}</label>
              <button type="submit" class="btn primary">Acknowledge</button>
            </form>
          </Dialog>
        )}
      </Show>
    </section>
  );
};
