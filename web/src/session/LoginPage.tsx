// Logging in, step by step; on a new installation, making the first administrator instead.
import { createResource, createSignal, Match, onMount, Show, Switch, type Component, type JSX } from 'solid-js';
import { ApiError } from '../api/client';
import { calls, knowsPasskeys, showPasskey, type Factor, type TotpBegun } from './calls';
import { CodeList, QrImage } from './Secrets';
import { signOnAddress, takeOutcome } from './signOn';
import { continueWith, loginStep, logIn, needsSetup, restartLogin, setUp, stepInto } from './session';

const text = (data: FormData, name: string) => String(data.get(name) ?? '');

export const LoginPage: Component = () => (
  <main class="login" id="main">
    <Switch fallback={<LogIn />}>
      <Match when={needsSetup()}><SetUp /></Match>
      <Match when={loginStep()?.includes('enrol-totp')}><EnrolNow /></Match>
      <Match when={loginStep()}>{(needs) => <SecondStep needs={needs()} />}</Match>
    </Switch>
  </main>
);

const LogIn: Component = () => {
  const [options] = createResource(() => calls.options().catch(() => ({ passkeys: false, provider: null })));
  const returned = takeOutcome();
  const [error, setError] = createSignal(returned.problem ?? '');
  if (returned.needs) continueWith(returned.needs);
  const passkey = () => showPasskey().then(stepInto, (e: unknown) => setError(passkeyProblem(e)));
  return (
    <Form title="Log in to Vitalwire" go="Log in" going="Logging in…" wrong="Name or password is wrong." submit={(d) => logIn(text(d, 'name'), text(d, 'password'))}
      more={
        <>
          <Show when={error()}><p class="error" role="alert">{error()}</p></Show>
          <Show when={options()?.passkeys && knowsPasskeys()}><button type="button" class="btn" onClick={() => void passkey()}>Use a passkey</button></Show>
          <Show when={options()?.provider}>{(label) => <a class="btn" href={signOnAddress()} target="_self">Sign in with {label()}</a>}</Show>
        </>
      }>
      <label class="field">Account<input name="name" autocomplete="username" autocapitalize="none" spellcheck={false} required autofocus /></label>
      <label class="field">Password<input name="password" type="password" autocomplete="current-password" required /></label>
      <p class="small muted">Locked out? Whoever administers Vitalwire sets a new password.</p>
    </Form>
  );
};

/** What to say when the browser or the server took no passkey. */
export function passkeyProblem(cause: unknown): string {
  if (cause instanceof ApiError) return cause.status === 401 ? 'This passkey is not known here.' : cause.message;
  return 'No passkey was used. Try again, or use the password.';
}

const SecondStep: Component<{ needs: Factor[] }> = (props) => {
  const first = (): Factor => (props.needs.includes('totp') ? 'totp' : 'passkey');
  const [by, setBy] = createSignal<Factor>(first());
  const [error, setError] = createSignal('');
  const passkey = () => showPasskey().then(stepInto, (e: unknown) => setError(passkeyProblem(e)));
  const other = (factor: Factor, label: string) => (
    <Show when={props.needs.includes(factor) && by() !== factor}><button type="button" class="btn quiet" onClick={() => setBy(factor)}>{label}</button></Show>
  );
  const ways = () => (
    <>
      {other('totp', 'Use the authenticator app')}
      <Show when={props.needs.includes('passkey') && knowsPasskeys() && by() !== 'passkey'}><button type="button" class="btn quiet" onClick={() => void passkey()}>Use a passkey</button></Show>
      {other('recovery', 'Use a recovery code')}
      <button type="button" class="btn quiet" onClick={restartLogin}>Begin again</button>
      <Show when={error()}><p class="error" role="alert">{error()}</p></Show>
    </>
  );
  const wrong = 'This code is wrong, was used already, or the login took too long.';
  return (
    <Switch>
      <Match when={by() === 'totp'}>
        <Form title="Second step" go="Continue" going="Checking…" wrong={wrong} submit={async (d) => stepInto(await calls.totp(text(d, 'code')))} more={ways()}>
          <label class="field">Code of your authenticator app<input name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="7" required ref={focused} /></label>
        </Form>
      </Match>
      <Match when={by() === 'recovery'}>
        <Form title="Second step" go="Continue" going="Checking…" wrong={wrong} submit={async (d) => stepInto(await calls.recovery(text(d, 'code')))} more={ways()}>
          <label class="field">Recovery code<input name="code" autocomplete="off" autocapitalize="none" spellcheck={false} required ref={focused} /></label>
          <p class="small muted">Each code opens once.</p>
        </Form>
      </Match>
      <Match when={by() === 'passkey'}>
        <Form title="Second step" go="Use a passkey" going="Waiting for the passkey…" wrong="This passkey is not known here." submit={async () => stepInto(await showPasskey())} more={ways()}><></></Form>
      </Match>
    </Switch>
  );
};

/** Puts the caret into a field that has just appeared. */
const focused = (field: HTMLInputElement) => queueMicrotask(() => field.focus());

/** For roles that must have a second factor: the first one is made here. */
const EnrolNow: Component = () => {
  const [begun, setBegun] = createSignal<TotpBegun>();
  const [failure, setFailure] = createSignal('');
  const [done, setDone] = createSignal<{ codes: string[]; enter: () => void }>();
  onMount(() => void calls.beginEnrolment().then(setBegun, (e: Error) => setFailure(e.message)));
  const submit = async (d: FormData) => {
    const { session, recovery_codes } = await calls.enrol(text(d, 'code'));
    setDone({ codes: recovery_codes, enter: () => stepInto(session) });
  };
  return (
    <Show when={done()} fallback={
      <Form title="Add an authenticator app" go="Continue" going="Checking…" wrong="This is not the code that the app shows now." submit={submit} more={<button type="button" class="btn quiet" onClick={restartLogin}>Begin again</button>}>
        <p class="small muted">Your role logs in with a second factor. Scan the code with an authenticator app, then type the six digits that it shows.</p>
        <Show when={failure()}><p class="error" role="alert">{failure()}</p></Show>
        <Show when={begun()}>{(b) => <QrImage begun={b()} />}</Show>
        <label class="field">Code of your authenticator app<input name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="7" required /></label>
      </Form>
    }>
      {(d) => (
        <section class="card login-done" aria-labelledby="codes-title">
          <h1 id="codes-title">Recovery codes</h1>
          <CodeList codes={d().codes} />
          <button type="button" class="btn primary" onClick={() => d().enter()}>I have kept them</button>
        </section>
      )}
    </Show>
  );
};

/** The code behind `#` of the link that the server printed: taken once, and out of the address at once. */
function codeOfLink(): string {
  const code = window.location.pathname === '/setup' ? decodeURIComponent(window.location.hash.slice(1)) : '';
  if (code) window.history.replaceState(null, '', '/setup');
  return code;
}

const SetUp: Component = () => {
  const code = codeOfLink();
  return (
    <Form title="Set up Vitalwire" go="Create the administrator" going="Creating…" wrong="This is not the code that the server printed." submit={(d) => setUp({ code: text(d, 'code').trim(), name: text(d, 'name'), password: text(d, 'password') })}>
      <p class="small muted">There is no account yet. The server printed a link with a set-up code when it started: whoever can read its output makes the first administrator.</p>
      <label class="field">Set-up code<input name="code" autocomplete="off" autocapitalize="none" spellcheck={false} required value={code} autofocus={!code} /></label>
      <label class="field">Account<input name="name" autocomplete="username" autocapitalize="none" spellcheck={false} required autofocus={!!code} /></label>
      <label class="field">Password<input name="password" type="password" autocomplete="new-password" minlength="12" required /></label>
    </Form>
  );
};

interface FormProps { title: string; go: string; going: string; wrong: string; submit: (data: FormData) => Promise<void>; children: JSX.Element; more?: JSX.Element }

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
      {props.more}
    </form>
  );
};
