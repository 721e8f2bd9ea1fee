// One's own record, for patients; for caregivers the record of whoever invited them.
import { createResource, For, onMount, Show, type Component } from 'solid-js';
import { may } from '../session/session';
import { dateTime } from '../ui/format';
import { attempt } from '../ui/toast';
import { AccessesCard } from './AccessesCard';
import { CaregiversCard } from './CaregiversCard';
import { ConsentsCard } from './ConsentsCard';
import { exportUrl, privacy, type Me } from './privacy.api';
import './privacy.css';

/** The code in the part of the address that no server sees. */
export const invitationIn = (hash: string): string | null => /^#invitation=([0-9A-Za-z-]+)$/.exec(hash)?.[1] ?? null;

const MePage: Component<{ params: Record<string, string> }> = () => {
  const [me, { refetch }] = createResource(privacy.me);
  const accept = async (code: string) => {
    if (await attempt(() => privacy.accept(code).then(() => true), 'You are a caregiver now')) void refetch();
  };
  onMount(() => {
    const code = invitationIn(window.location.hash);
    if (!code) return;
    window.history.replaceState(null, '', '/me');
    if (!may('manage-own-consent')) void accept(code);
  });
  const patient = () => me.latest?.role === 'patient';
  const use = (event: SubmitEvent) => {
    event.preventDefault();
    void accept(String(new FormData(event.currentTarget as HTMLFormElement).get('code')).trim());
  };
  return (
    <div class="page narrow">
      <div class="page-head"><h1>{patient() ? 'My record' : 'Records that I may see'}</h1><span class="grow" />
        <Show when={patient()}><a class="btn small" href={exportUrl('me')} download="record.zip">Take everything with me</a></Show>
      </div>
      <Show when={me.error as Error | undefined}>{(error) => <p class="error" role="alert">{error().message}</p>}</Show>
      <For each={me.latest?.records ?? []} fallback={<p class="empty">{me.loading ? 'Loading…' : 'There is no record for this account yet.'}</p>}>{(record) => <Record record={record} />}</For>
      <Show when={me.latest && !patient()}>
        <form class="card" onSubmit={use}><div class="body row">
          <label class="field">Code of an invitation<input name="code" required autocomplete="off" maxlength="40" /></label>
          <button class="btn small">Use it</button>
        </div></form>
      </Show>
      <Show when={patient()}>
        <ConsentsCard whose="me" change={may('manage-own-consent')} title="What I agreed to" />
        <CaregiversCard />
        <AccessesCard whose="me" />
      </Show>
    </div>
  );
};
export default MePage;

const Record: Component<{ record: Me['records'][number] }> = (props) => (
  <section class="card" aria-label={props.record.name || 'Record'}>
    <header><h2>{props.record.name || 'Record'}</h2></header>
    <div class="body scroll">
      <table class="table">
        <thead><tr><th>What</th><th class="num">Value</th><th>When</th></tr></thead>
        <tbody>
          <For each={props.record.values} fallback={<tr><td colspan="3" class="muted">Nothing was measured, or it is not shown to you.</td></tr>}>
            {(value) => <tr><th scope="row">{value.name}</th><td class="num nowrap">{value.value} {value.unit}</td><td>{dateTime(value.at_ms)}</td></tr>}
          </For>
        </tbody>
      </table>
    </div>
  </section>
);
