// Everybody's accounts, for whoever manages users.
import { createResource, createSignal, For, Show, type Component } from 'solid-js';
import { calls, type User } from '../session/calls';
import { currentSession } from '../session/session';
import { Dialog } from '../ui/Dialog';
import { exactTime, plural } from '../ui/format';
import { AddUserDialog } from './AddUserDialog';
import { fits, reach, ROLES, roleWord } from './users.state';
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
          <table class="table fold">
            <thead><tr><th scope="col">Account</th><th scope="col">Role</th><th scope="col">Works with</th><th scope="col">Second factor</th><th scope="col">Last seen</th><th scope="col">State</th></tr></thead>
            <tbody>
              <For each={(users.error ? [] : users.latest ?? []).filter((u) => fits(u, search()))} fallback={<tr><td colspan="6" class="empty">No account fits.</td></tr>}>
                {(u) => (
                  <tr>
                    <td><button type="button" class="btn quiet small" onClick={() => setPicked(u)}>{u.name}</button></td>
                    <td>{roleWord(u.role)}{u.kind === 'service' ? ', program' : ''}</td><td>{reach(u)}</td>
                    <td>{[u.totp && 'App', u.passkeys && plural(u.passkeys, 'passkey')].filter(Boolean).join(', ') || (u.provided ? 'Identity provider' : '–')}</td>
                    <td>{u.used_ms ? exactTime(u.used_ms) : 'Never'}</td>
                    <td>{u.disabled ? <b class="bad">Kept out</b> : plural(u.sessions, 'session')}</td>
                  </tr>
                )}
              </For>
            </tbody>
          </table>
        </div>
      </section>
      <Show when={adding()}><AddUserDialog close={() => setAdding(false)} done={(made) => { setAdding(false); setToken(made ?? ''); void refetch(); }} /></Show>
      <Show when={picked()} keyed>{(u) => <UserPanel user={u} close={() => setPicked(undefined)} changed={() => { setPicked(undefined); void refetch(); }} token={setToken} />}</Show>
      <Show when={token()}><Dialog title="Token" onClose={() => setToken('')}><p>Shown this one time. Keep it like a password.</p><p><code class="secret">{token()}</code></p></Dialog></Show>
    </div>
  );
};

const UserPanel: Component<{ user: User; close: () => void; changed: () => void; token: (token: string) => void }> = (props) => {
  const [error, setError] = createSignal('');
  const doing = (work: Promise<unknown>) => void work.then(() => props.changed(), (e: Error) => setError(e.message));
  const name = () => props.user.name;
  const save = (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const units = String(data.get('units') ?? '').split(',').map((u) => u.trim()).filter(Boolean);
    const role = String(data.get('role'));
    doing(calls.changeUser(name(), { units, ...(role !== props.user.role && { role }) }));
  };
  const password = (event: SubmitEvent) => {
    event.preventDefault();
    doing(calls.setPassword(name(), String(new FormData(event.currentTarget as HTMLFormElement).get('password'))));
  };
  return (
    <Dialog title={name()} side onClose={props.close}>
      <div class="stack">
        <Show when={error()}><p class="error" role="alert">{error()}</p></Show>
        <Show when={!props.user.provided && props.user.role !== 'patient'} fallback={<p class="muted">Role and units are not changed here.</p>}>
          <form class="stack" onSubmit={save}>
            <label class="field">Role<select class="input" name="role"><For each={ROLES}>{(r) => <option value={r} selected={r === props.user.role}>{roleWord(r)}</option>}</For></select></label>
            <label class="field">Units, with commas; empty: the whole house<input name="units" value={props.user.units?.join(', ') ?? ''} /></label>
            <button class="btn primary">Save</button>
          </form>
        </Show>
        <Show when={props.user.kind === 'person' && !props.user.provided}>
          <form class="stack" onSubmit={password}>
            <label class="field">New password, at least 12 characters<input name="password" type="password" autocomplete="new-password" minlength="12" required /></label>
            <button class="btn">Set the password</button>
          </form>
        </Show>
        <Show when={props.user.kind === 'service'}><button type="button" class="btn" onClick={() => doing(calls.rotateToken(name()).then((t) => props.token(t.token)))}>Make a new token</button></Show>
        <Show when={props.user.totp || props.user.passkeys}><button type="button" class="btn" onClick={() => doing(calls.resetFactors(name()))}>Take the second factors away</button></Show>
        <Show when={props.user.sessions}><button type="button" class="btn" onClick={() => doing(calls.endUserSessions(name()))}>End the sessions</button></Show>
        <button type="button" class="btn" onClick={() => doing(calls.changeUser(name(), { disabled: !props.user.disabled }))}>{props.user.disabled ? 'Let in again' : 'Keep out'}</button>
        <button type="button" class="btn danger" onClick={() => doing(calls.removeUser(name()))}>Remove the account</button>
      </div>
    </Dialog>
  );
};
export default UsersPage;
