// A new account: a person with a password, or a program with a token.
import { createSignal, For, Show, type Component } from 'solid-js';
import { calls } from '../session/calls';
import { Dialog } from '../ui/Dialog';
import { ROLES, roleWord } from './users.state';

export const AddUserDialog: Component<{ close: () => void; done: (token: string | null) => void }> = (props) => {
  const [error, setError] = createSignal('');
  const [program, setProgram] = createSignal(false);
  const [role, setRole] = createSignal('nurse');
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => String(data.get(name) ?? '').trim();
    const units = text('units').split(',').map((u) => u.trim()).filter(Boolean);
    const days = Number(text('days'));
    setError('');
    calls.addUser({
      name: text('name'), role: role(), units,
      ...(!program() && { password: String(data.get('password') ?? '') }),
      ...(role() === 'patient' && { patient: text('patient') }),
      ...(program() && days > 0 && { expires_days: days }),
    }).then((made) => props.done(made.token), (e: Error) => setError(e.message));
  };
  return (
    <Dialog title="Add an account" onClose={props.close}>
      <form class="stack" onSubmit={submit}>
        <label class="field">Account<input name="name" autocapitalize="none" spellcheck={false} autocomplete="off" required maxlength="64" /></label>
        <label class="check"><input type="checkbox" checked={program()} onChange={(e) => { setProgram(e.currentTarget.checked); setRole(e.currentTarget.checked ? 'service' : 'nurse'); }} />A program, with a token</label>
        <label class="field">Role<select class="input" value={role()} onChange={(e) => setRole(e.currentTarget.value)}><For each={ROLES}>{(r) => <option value={r} selected={r === role()}>{roleWord(r)}</option>}</For></select></label>
        <Show when={role() === 'patient'}><label class="field">Patient id<input name="patient" required /></label></Show>
        <label class="field">Units, with commas; empty: the whole house<input name="units" /></label>
        <Show when={program()} fallback={<label class="field">First password, at least 12 characters<input name="password" type="password" autocomplete="new-password" minlength="12" required /></label>}>
          <label class="field">Days until the token ends; empty: it does not<input name="days" inputmode="numeric" pattern="[0-9]*" /></label>
        </Show>
        <Show when={error()}><p class="error" role="alert">{error()}</p></Show>
        <button class="btn primary">Add</button>
      </form>
    </Dialog>
  );
};
