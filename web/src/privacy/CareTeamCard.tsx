// Who cares for a patient: accounts, their role in the team, and until when.
import { createResource, For, Show, type Component } from 'solid-js';
import { dateTime } from '../ui/format';
import { attempt } from '../ui/toast';
import { privacy, type Member } from './privacy.api';

export const CareTeamCard: Component<{ patient: string; change: boolean }> = (props) => {
  const [team, { refetch }] = createResource(() => props.patient, privacy.careTeam);
  const add = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const text = (name: string) => String(new FormData(form).get(name) ?? '').trim();
    const member: Member = { account: text('account'), role: text('role'), team: '', from_ms: null, until_ms: null };
    if (await attempt(() => privacy.putMember(props.patient, member), `${member.account} is in the care team`)) { form.reset(); void refetch(); }
  };
  const remove = async (member: Member) => {
    if (await attempt(() => privacy.removeMember(props.patient, member.account).then(() => true), `${member.account} is no longer in the care team`)) void refetch();
  };
  return (
    <section class="card" aria-label="Care team">
      <header><h2>Care team</h2></header>
      <div class="body stack">
        <ul class="consents">
          <For each={team.latest?.members ?? []} fallback={<li class="muted">Nobody is named: the unit cares for the patient.</li>}>
            {(member) => (
              <li>
                <p><b>{member.account}</b> <span class="muted">{member.role}</span>
                  <Show when={member.until_ms}>{(until) => <span class="small muted"> until {dateTime(until())}</span>}</Show></p>
                <Show when={props.change && !member.team}><button type="button" class="btn small" onClick={() => void remove(member)}>Take out<span class="sr-only"> {member.account}</span></button></Show>
              </li>
            )}
          </For>
        </ul>
        <Show when={props.change}>
          <form class="row" onSubmit={(e) => void add(e)}>
            <label class="field">Account<input name="account" required maxlength="64" autocomplete="off" /></label>
            <label class="field">Role in the team<input name="role" maxlength="100" autocomplete="off" /></label>
            <button class="btn small">Put in</button>
          </form>
        </Show>
      </div>
    </section>
  );
};
