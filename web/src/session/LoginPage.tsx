// Logging in; on a new installation, making the first administrator instead.
import { createSignal, Show, type Component, type JSX } from 'solid-js';
import { ApiError } from '../api/client';
import { logIn, needsSetup, setUp } from './session';

const text = (data: FormData, name: string) => String(data.get(name) ?? '');

export const LoginPage: Component = () => (
  <main class="login" id="main">
    <Show when={needsSetup()} fallback={<LogIn />}><SetUp /></Show>
  </main>
);

const LogIn: Component = () => (
  <Form title="Log in to Vitalwire" go="Log in" going="Logging in…" wrong="Name or password is wrong." submit={(d) => logIn(text(d, 'name'), text(d, 'password'))}>
    <label class="field">Account<input name="name" autocomplete="username" autocapitalize="none" spellcheck={false} required autofocus /></label>
    <label class="field">Password<input name="password" type="password" autocomplete="current-password" required /></label>
  </Form>
);

const SetUp: Component = () => (
  <Form title="Set up Vitalwire" go="Create the administrator" going="Creating…" wrong="This is not the code that the server printed." submit={(d) => setUp({ code: text(d, 'code').trim(), name: text(d, 'name'), password: text(d, 'password') })}>
    <p class="small muted">There is no account yet. The server printed a set-up code when it started: whoever can read its output makes the first administrator.</p>
    <label class="field">Set-up code<input name="code" autocomplete="off" autocapitalize="none" spellcheck={false} required autofocus /></label>
    <label class="field">Account<input name="name" autocomplete="username" autocapitalize="none" spellcheck={false} required /></label>
    <label class="field">Password<input name="password" type="password" autocomplete="new-password" required /></label>
  </Form>
);

interface FormProps { title: string; go: string; going: string; wrong: string; submit: (data: FormData) => Promise<void>; children: JSX.Element }

const Form: Component<FormProps> = (props) => {
  const [error, setError] = createSignal('');
  const [busy, setBusy] = createSignal(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    setError('');
    try {
      await props.submit(data);
    } catch (cause) {
      setError(cause instanceof ApiError && cause.status === 401 ? props.wrong : (cause as Error).message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="card" onSubmit={(e) => void submit(e)} aria-labelledby="login-title">
      <img src="/icon.svg" alt="" width="40" height="40" />
      <h1 id="login-title">{props.title}</h1>
      {props.children}
      <Show when={error()}><p class="error" role="alert">{error()}</p></Show>
      <button class="btn primary" disabled={busy()}>{busy() ? props.going : props.go}</button>
    </form>
  );
};
