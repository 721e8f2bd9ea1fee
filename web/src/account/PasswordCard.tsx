// Changing the own password.
import { createSignal, Show, type Component } from 'solid-js';
import { calls } from '../session/calls';

export const PasswordCard: Component = () => {
  const [said, setSaid] = createSignal('');
  const [error, setError] = createSignal('');
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    const text = (name: string) => String(data.get(name) ?? '');
    setError('');
    setSaid('');
    calls.changePassword(text('present'), text('next')).then(
      () => { form.reset(); setSaid('Changed. All your other sessions have ended.'); },
      (e: Error) => setError(e.message),
    );
  };
  return (
    <section class="card pad" aria-labelledby="password">
      <h2 id="password">Password</h2>
      <form class="stack" onSubmit={submit}>
        <label class="field">Present password<input name="present" type="password" autocomplete="current-password" required /></label>
        <label class="field">New password, at least 12 characters<input name="next" type="password" autocomplete="new-password" minlength="12" required /></label>
        <Show when={error()}><p class="error" role="alert">{error()}</p></Show>
        <p role="status">{said()}</p>
        <button class="btn">Change the password</button>
      </form>
    </section>
  );
};
