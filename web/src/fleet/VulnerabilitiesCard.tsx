// What is known against devices, one entry a vulnerability with its devices; somebody says, with a reason, which may stay.
import { createResource, createSignal, For, Show, type Component } from 'solid-js';
import { may } from '../session/session';
import { Dialog } from '../ui/Dialog';
import { dateTime, plural } from '../ui/format';
import { attempt } from '../ui/toast';
import { fleet, type Vulnerability } from './fleet.api';
import { AFFECTED_WORD, byVulnerability, type Known } from './fleet.state';

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
        <For each={byVulnerability(found.error ? [] : found.latest ?? [])} fallback={<li class="empty">{found.loading ? 'Loading…' : 'Nothing known. Advisories of makers and of the security office are imported by an engineer.'}</li>}>
          {(known) => <Entry known={known} onAsk={setAsked} />}
        </For>
      </ul>
      <Show when={asked()}>
        {(v) => (
          <Dialog title={`Acknowledge ${v().id}`} onClose={() => setAsked(undefined)}>
            <form class="stack" onSubmit={(e) => void save(e)}>
              <p>{v().device} keeps working with it. Your name and the reason are kept.</p>
              <label class="field">Why may it stay?<textarea class="input" name="reason" required maxlength="500" rows="3" /></label>
              <label class="check"><input type="checkbox" name="all" /> On all devices, not only {v().device}</label>
              <div class="dialog-foot"><button type="button" class="btn" onClick={() => setAsked(undefined)}>Cancel</button><button type="submit" class="btn primary">Acknowledge</button></div>
            </form>
          </Dialog>
        )}
      </Show>
    </section>
  );
};

const Entry: Component<{ known: Known; onAsk: (line: Vulnerability) => void }> = (props) => {
  const k = () => props.known;
  return (
    <li>
      <p><span class={`chip severity ${k().severity}`}>{k().severity}{k().cvss == null ? '' : ` ${k().cvss}`}</span> <b>{k().id}</b> <span class="muted">{k().open ? `open on ${plural(k().open, 'device')}` : 'nothing open'}</span></p>
      <p>{k().title}</p>
      <Show when={k().remediation}><p class="small">What to do: {k().remediation}</p></Show>
      <ul class="vulnerable">
        <For each={k().lines}>
          {(v) => (
            <li>
              <span><b class="mono">{v.device}</b> <span class="muted small">{v.version ? `version ${v.version}` : 'version not known'}{v.via === 'model' ? '' : `, in ${v.via}`}</span></span>
              <Show when={v.acknowledged} fallback={
                <>
                  <span class="small">{v.certain ? '' : 'perhaps '}{AFFECTED_WORD[v.status] ?? v.status}</span>
                  <Show when={may('manage-firmware') && v.status === 'affected'}><button type="button" class="btn small" onClick={() => props.onAsk(v)}>Acknowledge<span class="sr-only"> {v.id} on {v.device}</span></button></Show>
                </>
              }>
                {(said) => <span class="small muted">Acknowledged by {said().by}, {dateTime(said().at_ms)}: “{said().reason}”</span>}
              </Show>
            </li>
          )}
        </For>
      </ul>
    </li>
  );
};
