import { createSignal, Show, type Component } from 'solid-js';
import { ApiError } from '../api/client';
import { logIn } from './session';

export const LoginPage: Component = () => {
  const [error, setError] = createSignal('');
  const [busy, setBusy] = createSignal(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    setError('');
    try {
      await logIn(String(data.get('name')), String(data.get('password')));
    } catch (cause) {
      setError(cause instanceof ApiError && cause.status === 401 ? 'Name or password is wrong.' : (cause as Error).message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <main class="login" id="main">
      <form class="card" onSubmit={submit} aria-labelledby="login-title">
        <img src="/icon.svg" alt="" width="40" height="40" />
        <h1 id="login-title">Log in to Vitalwire</h1>
        <label class="field">Account<input name="name" autocomplete="username" required autofocus /></label>
        <label class="field">Password<input name="password" type="password" autocomplete="current-password" required /></label>
        <Show when={error()}><p class="error" role="alert">{error()}</p></Show>
        <button class="btn primary" disabled={busy()}>{busy() ? 'Logging in…' : 'Log in'}</button>
      </form>
    </main>
  );
};
