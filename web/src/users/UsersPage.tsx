// Everybody's accounts, for whoever manages users.
import { createResource, createSignal, For, Show, type Component } from 'solid-js';
import { calls, type User } from '../session/calls';
import { currentSession } from '../session/session';
import { Dialog } from '../ui/Dialog';
import { dateTime, plural } from '../ui/format';
import { AddUserDialog } from './AddUserDialog';
import { UserPanel } from './UserPanel';
import { fits, reach, roleWord } from './users.state';
import '../account/account.css';

const UsersPage: Component<{ params: Record<string, string> }> = () => {
  const [users, { refetch }] = createResource(calls.users);
  const [search, setSearch] = createSignal('');
  const [adding, setAdding] = createSignal(false);
  const [picked, setPicked] = createSignal<User>();
  const [token, setToken] = createSignal('');
  return (
    <div class="page users-page">
      <div class="page-head">
        <h1>Users</h1><span class="muted">{plural(users.latest?.length ?? 0, 'account')}</span><span class="grow" />
        <input class="input" type="search" placeholder="Name, role, unit" aria-label="Search users" value={search()} onInput={(e) => setSearch(e.currentTarget.value)} />
        <button type="button" class="btn primary" disabled={(currentSession() || null)?.open} onClick={() => setAdding(true)}>Add an account</button>
      </div>
      <Show when={users.error}><p class="error" role="alert">{(users.error as Error).message}</p></Show>
      <section class="card" aria-label="Users">
        <div class="scroll" tabindex="0" role="region" aria-label="Table of users">
          <table class="table fold middle">
            <thead><tr><th scope="col">Account</th><th scope="col">Role</th><th scope="col">Works with</th><th scope="col">Second factor</th><th scope="col">Last seen</th><th scope="col">State</th></tr></thead>
            <tbody>
              <For each={(users.error ? [] : users.latest ?? []).filter((u) => fits(u, search()))} fallback={<tr><td colspan="6" class="empty">No account fits.</td></tr>}>
                {(u) => (
                  <tr>
                    <th scope="row"><button type="button" class="link" onClick={() => setPicked(u)}>{u.name}</button></th>
                    <td data-label="Role">{roleWord(u.role)}{u.kind === 'service' ? ', program' : ''}</td><td data-label="Works with">{reach(u)}</td>
                    <td data-label="Second factor" classList={{ nothing: !u.totp && !u.passkeys && !u.provided }}>{[u.totp && 'App', u.passkeys && plural(u.passkeys, 'passkey')].filter(Boolean).join(', ') || (u.provided ? 'Identity provider' : '–')}</td>
                    <td data-label="Last seen">{u.used_ms ? dateTime(u.used_ms) : 'Never'}</td>
                    <td data-label="State">{u.disabled ? <b class="bad">Kept out</b> : plural(u.sessions, 'session')}</td>
                  </tr>
                )}
              </For>
            </tbody>
          </table>
        </div>
      </section>
      <Show when={adding()}><AddUserDialog close={() => setAdding(false)} done={(made) => { setAdding(false); setToken(made ?? ''); void refetch(); }} /></Show>
      <Show when={picked()} keyed>{(u) => <UserPanel user={u} close={() => setPicked(undefined)} changed={() => { setPicked(undefined); void refetch(); }} token={setToken} />}</Show>
      <Show when={token()}><Dialog title="Token" onClose={() => setToken('')}><p>Shown this one time. Keep it like a password.</p><code class="secret">{token()}</code></Dialog></Show>
    </div>
  );
};

export default UsersPage;
