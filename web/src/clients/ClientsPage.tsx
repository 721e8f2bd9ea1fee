// Applications that may ask for access (SMART on FHIR): for administrators.
import { createResource, createSignal, For, Show, type Component } from 'solid-js';
import { Dialog } from '../ui/Dialog';
import { attempt } from '../ui/toast';
import { list, read, register, remove, type Application } from './clients.state';
import './clients.css';

const PROOF: Record<string, string> = { public: 'Public (PKCE)', secret: 'Secret', key: 'Own key' };

export default (() => {
  const [clients, { refetch }] = createResource(list);
  const [adding, setAdding] = createSignal(false);
  const [secret, setSecret] = createSignal<{ id: string; secret: string } | null>(null);
  const [leaving, setLeaving] = createSignal<Application | null>(null);
  const drop = async (client: Application) => {
    await attempt(() => remove(client.id), `${client.name} is removed; what it held no longer works.`);
    setLeaving(null);
    void refetch();
  };
  return (
    <div class="page clients">
      <header class="page-head"><h1>Applications</h1><span class="grow" /><button class="btn primary" onClick={() => setAdding(true)}>Register</button></header>
      <Show when={clients.error}><p class="error" role="alert">{(clients.error as Error).message}</p></Show>
      <div class="card"><div class="table-wrap" tabindex="0" role="region" aria-label="Applications">
        <table class="table fold">
          <thead><tr><th scope="col">Application</th><th scope="col">Proof</th><th scope="col">May have</th><th scope="col">Addresses</th><th scope="col"><span class="sr-only">Remove</span></th></tr></thead>
          <tbody>
            <For each={clients() ?? []} fallback={<tr><td colspan="5" class="muted">No application is registered.</td></tr>}>
              {(client) => (
                <tr>
                  <th scope="row">{client.name}<div class="muted small">{client.id}<Show when={client.trusted}> · people are not asked</Show><Show when={client.account}> · acts as {client.account}</Show></div></th>
                  <td data-label="Proof">{PROOF[client.authentication] ?? client.authentication}</td>
                  <td class="scopes" data-label="May have">{client.scopes}</td>
                  <td class="small" data-label="Addresses"><For each={client.redirect_uris}>{(uri) => <div>{uri}</div>}</For><Show when={client.launch_url}><div>opens {client.launch_url}</div></Show></td>
                  <td><button class="btn small" aria-label={`Remove ${client.name}`} onClick={() => setLeaving(client)}>Remove</button></td>
                </tr>
              )}
            </For>
          </tbody>
        </table>
      </div></div>
      <Show when={adding()}><Register onClose={() => setAdding(false)} onDone={(made) => { setAdding(false); setSecret(made); void refetch(); }} /></Show>
      <Show when={secret()}>
        {(made) => <Dialog title={`Secret of ${made().id}`} onClose={() => setSecret(null)}><p>It is shown once. Give it to whoever runs the application, and to nobody else.</p><code class="secret">{made().secret}</code></Dialog>}
      </Show>
      <Show when={leaving()}>
        {(client) => <Dialog title={`Remove ${client().name}?`} onClose={() => setLeaving(null)}><p>Everything that people gave it ends at once.</p><div class="dialog-foot"><button class="btn" onClick={() => setLeaving(null)}>Keep</button><button class="btn primary" onClick={() => void drop(client())}>Remove</button></div></Dialog>}
      </Show>
    </div>
  );
}) satisfies Component;

const Register: Component<{ onClose: () => void; onDone: (made: { id: string; secret: string } | null) => void }> = (props) => {
  const [error, setError] = createSignal('');
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setError('');
    try {
      const made = await register(read(new FormData(event.currentTarget as HTMLFormElement)));
      props.onDone(made.secret ? { id: made.application.id, secret: made.secret } : null);
    } catch (cause) {
      setError(cause instanceof SyntaxError ? 'The keys are no JSON.' : (cause as Error).message);
    }
  };
  return (
    <Dialog title="Register an application" onClose={props.onClose}>
      <form class="register" onSubmit={(e) => void submit(e)}>
        <label class="field">Client id<input name="id" required pattern="[A-Za-z0-9._\-]{1,64}" autocomplete="off" autofocus /></label>
        <label class="field">Name that people see<input name="name" maxlength="80" autocomplete="off" /></label>
        <label class="field">How it proves itself<select name="authentication"><option value="public">Public: PKCE alone</option><option value="secret">A secret</option><option value="key">Its own key</option></select></label>
        <label class="field">Redirect addresses, one a line<textarea name="redirect_uris" rows="2" /></label>
        <label class="field">Launch address, to open it from a patient<input name="launch_url" type="url" /></label>
        <label class="field">Scopes that it may have<textarea name="scopes" rows="2" required>openid fhirUser launch launch/patient patient/*.rs</textarea></label>
        <label class="field">Address of its keys<input name="jwks_uri" type="url" /></label>
        <label class="field">Or its keys (JWK set)<textarea name="jwks" rows="2" /></label>
        <label class="field">Service account, for a backend service<input name="account" autocomplete="off" /></label>
        <label class="check"><input type="checkbox" name="trusted" /> <span>Do not ask people: the house decides for them</span></label>
        <Show when={error()}><p class="error" role="alert">{error()}</p></Show>
        <div class="dialog-foot"><button type="button" class="btn" onClick={props.onClose}>Cancel</button><button class="btn primary">Register</button></div>
      </form>
    </Dialog>
  );
};
