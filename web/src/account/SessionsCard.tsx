// Where the account is logged in, and how to end that.
import { createResource, For, Show, type Component } from 'solid-js';
import { calls } from '../session/calls';
import { dateTime } from '../ui/format';

const MEANS: Record<string, string> = {
  password: 'Password', totp: 'Password and app', passkey: 'Passkey', recovery: 'Recovery code',
  provider: 'Identity provider', 'provider-mfa': 'Identity provider, two factors', 'provider-totp': 'Identity provider and app',
};

/** A browser's name as people know it: the full text stays in the title. */
export function browserOf(agent: string): string {
  const known = /(Firefox|Edg|OPR|Chrome|Safari|curl|python)[/ ]?([\d]*)/i.exec(agent);
  const system = /(Windows|Android|iPhone|iPad|Mac OS|Linux)/.exec(agent);
  const name = known?.[1] === 'Edg' ? 'Edge' : known?.[1] === 'OPR' ? 'Opera' : known?.[1];
  return [name ?? 'Unknown', system && `on ${system[1]}`].filter(Boolean).join(' ');
}

export const SessionsCard: Component = () => {
  const [sessions, { refetch }] = createResource(calls.sessions);
  const then = (work: Promise<void>) => void work.then(() => refetch(), () => refetch());
  return (
    <section class="card pad" aria-labelledby="sessions">
      <h2 id="sessions">Sessions</h2>
      <p class="muted small">Each place where you are logged in. End what you do not know, and change the password.</p>
      <div class="scroll" tabindex="0" role="region" aria-label="Table of sessions">
        <table class="table fold middle">
          <thead><tr><th scope="col">Since</th><th scope="col">Last used</th><th scope="col">From</th><th scope="col">With</th><th scope="col">How</th><th scope="col"><span class="sr-only">End</span></th></tr></thead>
          <tbody>
            <For each={sessions.latest ?? []}>
              {(s) => (
                <tr>
                  <td data-label="Since">{dateTime(s.began_ms)}</td><td data-label="Last used">{dateTime(s.used_ms)}</td><td data-label="From">{s.address ?? '–'}</td><td data-label="With" title={s.agent}>{browserOf(s.agent)}</td><td data-label="How">{MEANS[s.means] ?? s.means}{s.encrypted ? '' : ', not encrypted'}</td>
                  <td><Show when={!s.own} fallback={<span class="chip">This one</span>}><button type="button" class="btn small" onClick={() => then(calls.endSession(s.id))}>End</button></Show></td>
                </tr>
              )}
            </For>
          </tbody>
        </table>
      </div>
      <Show when={(sessions.latest?.length ?? 0) > 1}><div><button type="button" class="btn" onClick={() => then(calls.endOthers())}>End all others</button></div></Show>
    </section>
  );
};
