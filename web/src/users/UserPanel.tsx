// One account: role and units, password, second factors, sessions, keeping it out, removing it.
import { createSignal, For, Show, type Component, type JSX } from 'solid-js';
import { calls, type User } from '../session/calls';
import { ConfirmDialog } from '../ui/ConfirmDialog';
import { Dialog } from '../ui/Dialog';
import { dateTime, plural } from '../ui/format';
import { reach, ROLES, roleWord } from './users.state';

interface PanelProps { user: User; close: () => void; changed: () => void; token: (token: string) => void }
interface Question { title: string; text: string; action: string; yes: () => Promise<unknown> }

export const UserPanel: Component<PanelProps> = (props) => {
  const [error, setError] = createSignal('');
  const [asked, setAsked] = createSignal<Question>();
  const doing = (work: Promise<unknown>) => work.then(() => props.changed(), (e: Error) => { setAsked(undefined); setError(e.message); });
  const user = () => props.user;
  const name = () => user().name;
  const save = (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const units = String(data.get('units') ?? '').split(',').map((u) => u.trim()).filter(Boolean);
    const role = String(data.get('role'));
    void doing(calls.changeUser(name(), { units, ...(role !== user().role && { role }) }));
  };
  const password = (event: SubmitEvent) => {
    event.preventDefault();
    void doing(calls.setPassword(name(), String(new FormData(event.currentTarget as HTMLFormElement).get('password'))));
  };
  const removal = (): Question => ({ title: `Remove ${name()}?`, text: 'The account is gone for good, and whoever uses it is logged out at once. What it did stays in the audit log.', action: 'Remove the account', yes: () => doing(calls.removeUser(name())) });
  const factors = (): Question => ({ title: `Take the second factors of ${name()} away?`, text: 'For somebody who lost them. Make sure who is asking: until new ones are made the password alone opens the account.', action: 'Take them away', yes: () => doing(calls.resetFactors(name())) });
  return (
    <Dialog title={name()} side onClose={props.close}>
      <p class="muted">{roleWord(user().role)}{user().kind === 'service' ? ', a program' : ''}; {reach(user())}. {user().used_ms ? `Last seen ${dateTime(user().used_ms!)}.` : 'Never seen.'} <Show when={user().disabled}><b class="bad">Kept out.</b></Show></p>
      <Show when={error()}><p class="error" role="alert">{error()}</p></Show>
      <Part title="Role and units">
        <Show when={!user().provided && user().role !== 'patient'} fallback={<p class="muted">Role and units are not changed here.</p>}>
          <form class="stack" onSubmit={save}>
            <label class="field">Role<select class="input" name="role"><For each={ROLES}>{(r) => <option value={r} selected={r === user().role}>{roleWord(r)}</option>}</For></select></label>
            <label class="field">Units, with commas; empty: the whole house<input name="units" value={user().units?.join(', ') ?? ''} /></label>
            <div><button class="btn primary">Save</button></div>
          </form>
        </Show>
      </Part>
      <Show when={user().kind === 'person' && !user().provided}>
        <Part title="Password">
          <form class="stack" onSubmit={password}>
            <label class="field">New password, at least 12 characters<input name="password" type="password" autocomplete="new-password" minlength="12" required /></label>
            <div><button class="btn">Set the password</button></div>
          </form>
        </Part>
      </Show>
      <Part title="Access">
        <div class="row">
          <Show when={user().kind === 'service'}><button type="button" class="btn" onClick={() => void doing(calls.rotateToken(name()).then((t) => props.token(t.token)))}>Make a new token</button></Show>
          <Show when={user().sessions}><button type="button" class="btn" onClick={() => void doing(calls.endUserSessions(name()))}>End {plural(user().sessions, 'session')}</button></Show>
          <Show when={user().totp || user().passkeys}><button type="button" class="btn" onClick={() => setAsked(factors())}>Take the second factors away</button></Show>
          <button type="button" class="btn" onClick={() => void doing(calls.changeUser(name(), { disabled: !user().disabled }))}>{user().disabled ? 'Let in again' : 'Keep out'}</button>
          <button type="button" class="btn danger" onClick={() => setAsked(removal())}>Remove the account</button>
        </div>
      </Part>
      <Show when={asked()}>{(q) => <ConfirmDialog title={q().title} action={q().action} onClose={() => setAsked(undefined)} onYes={() => q().yes()}><p>{q().text}</p></ConfirmDialog>}</Show>
    </Dialog>
  );
};

const Part: Component<{ title: string; children: JSX.Element }> = (props) => <section class="stack"><h3>{props.title}</h3>{props.children}</section>;
