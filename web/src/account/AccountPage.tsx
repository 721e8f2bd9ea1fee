// The own account: second factors, password, sessions.
import { createResource, createSignal, For, Show, type Component, type JSX } from 'solid-js';
import { calls, knowsPasskeys, makePasskey, type OwnAccount, type TotpBegun } from '../session/calls';
import { passkeyProblem } from '../session/LoginPage';
import { CodeList, QrImage } from '../session/Secrets';
import { currentSession } from '../session/session';
import { Dialog } from '../ui/Dialog';
import { dateTime, plural } from '../ui/format';
import { ROLE_WORD } from '../privacy/words';
import { ApplicationsCard } from './ApplicationsCard';
import { PasswordCard } from './PasswordCard';
import { SessionsCard } from './SessionsCard';
import './account.css';

const AccountPage: Component<{ params: Record<string, string> }> = () => (
  <div class="page account-page">
    <div class="page-head"><h1>Your account</h1></div>
    <Show when={!(currentSession() || null)?.open} fallback={<p class="empty">The open trial has no accounts.</p>}><Own /></Show>
  </div>
);

const Own: Component = () => {
  const [account, { refetch }] = createResource(calls.account);
  return (
    <Show when={account.latest} fallback={<p class="empty" role="status">{account.error ? (account.error as Error).message : 'Loading…'}</p>}>
      {(own) => (
        <>
          <p><b>{own().name}</b>, {ROLE_WORD[own().role] ?? own().role}; {own().units ? `${own().units!.length === 1 ? 'unit' : 'units'} ${own().units!.join(', ')}` : 'the whole house'}.</p>
          <FactorsCard own={own()} changed={() => void refetch()} />
          <Show when={!own().provided} fallback={<p class="muted">You log in with the site’s identity provider: the password is changed there.</p>}><PasswordCard /></Show>
          <SessionsCard />
          <ApplicationsCard />
        </>
      )}
    </Show>
  );
};

const FactorsCard: Component<{ own: OwnAccount; changed: () => void }> = (props) => {
  const [error, setError] = createSignal('');
  const [app, setApp] = createSignal<TotpBegun>();
  const [codes, setCodes] = createSignal<string[]>();
  const [name, setName] = createSignal('');
  const doing = (work: () => Promise<unknown>, problem: (e: unknown) => string = (e) => (e as Error).message) => {
    setError('');
    work().then(() => props.changed(), (e: unknown) => setError(problem(e)));
  };
  const show = (fresh: string[]) => { if (fresh.length) setCodes(fresh); };
  const addPasskey = () => doing(async () => { show(await makePasskey(name())); setName(''); }, passkeyProblem);
  return (
    <section class="card pad" aria-labelledby="factors">
      <h2 id="factors">Second factors</h2>
      <p class="muted small"><Show when={props.own.second_factor_required} fallback="With one of these, whoever has only your password does not get in.">Your role must have one of these.</Show></p>
      <Show when={error()}><p class="error" role="alert">{error()}</p></Show>
      <Line title="Authenticator app" state={props.own.totp ? 'Enrolled' : 'None'}>
        <button type="button" class="btn small" onClick={() => doing(async () => setApp(await calls.beginTotp()))}>{props.own.totp ? 'Replace' : 'Add an authenticator app'}</button>
        <Show when={props.own.totp}><button type="button" class="btn quiet small" onClick={() => doing(calls.removeTotp)}>Remove the app</button></Show>
      </Line>
      <Line title="Passkeys" state={props.own.passkeys.length ? plural(props.own.passkeys.length, 'passkey') : 'None'}>
        <Show when={props.own.passkeys_here && knowsPasskeys()} fallback={<span class="small muted">Not at this address. A passkey belongs to a name, such as https://vitalwire.hospital.example: ask whoever runs Vitalwire for it.</span>}>
          <input class="input" aria-label="Name of the new passkey" placeholder="Such as: my phone" maxlength="64" value={name()} onInput={(e) => setName(e.currentTarget.value)} />
          <button type="button" class="btn small" onClick={addPasskey}>Add a passkey</button>
        </Show>
      </Line>
      <ul class="passkeys">
        <For each={props.own.passkeys}>
          {(key) => <li><b>{key.name}</b> <span class="small muted">added {dateTime(key.added_ms)}, last used {dateTime(key.used_ms)}</span> <button type="button" class="btn quiet small" onClick={() => doing(() => calls.removePasskey(key.id))}>Remove {key.name}</button></li>}
        </For>
      </ul>
      <Line title="Recovery codes" state={props.own.totp || props.own.passkeys.length ? `${props.own.recovery_codes_left} left` : 'None'}>
        <Show when={props.own.totp || props.own.passkeys.length} fallback={<span class="small muted">They come with the first app or passkey, for the day when it is lost.</span>}><button type="button" class="btn small" onClick={() => doing(async () => show((await calls.newCodes()).recovery_codes))}>Make new codes</button></Show>
      </Line>
      <Show when={app()}>{(begun) => <AppDialog begun={begun()} close={() => setApp(undefined)} done={(fresh) => { setApp(undefined); show(fresh); props.changed(); }} />}</Show>
      <Show when={codes()}>{(fresh) => <Dialog title="Recovery codes" onClose={() => setCodes(undefined)}><CodeList codes={fresh()} /><button type="button" class="btn primary" onClick={() => setCodes(undefined)}>I have kept them</button></Dialog>}</Show>
    </section>
  );
};

const Line: Component<{ title: string; state: string; children: JSX.Element }> = (props) => (
  <div class="factor"><h3>{props.title}</h3><span>{props.state}</span><div class="row">{props.children}</div></div>
);

const AppDialog: Component<{ begun: TotpBegun; close: () => void; done: (codes: string[]) => void }> = (props) => {
  const [error, setError] = createSignal('');
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const code = String(new FormData(event.currentTarget as HTMLFormElement).get('code') ?? '');
    calls.confirmTotp(code).then((c) => props.done(c.recovery_codes), (e: Error) => setError(e.message));
  };
  return (
    <Dialog title="Add an authenticator app" onClose={props.close}>
      <form class="stack" onSubmit={submit}>
        <p>Scan this with an authenticator app, then type the six digits that it shows.</p>
        <QrImage begun={props.begun} />
        <label class="field">Code of your authenticator app<input name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="7" required /></label>
        <Show when={error()}><p class="error" role="alert">{error()}</p></Show>
        <button class="btn primary">Confirm</button>
      </form>
    </Dialog>
  );
};
export default AccountPage;
