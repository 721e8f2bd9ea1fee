// Applications that the person let in, and taking that back.
import { createResource, createSignal, For, Show, type Component } from 'solid-js';
import { call, url } from '../api/client';
import type { components } from '../api/schema';
import { ConfirmDialog } from '../ui/ConfirmDialog';
import { dateTime } from '../ui/format';
import { attempt } from '../ui/toast';

type LetIn = components['schemas']['LetIn'];

export const ApplicationsCard: Component = () => {
  const [list, { refetch }] = createResource(() => call<LetIn[]>('GET', url('/applications')));
  const [leaving, setLeaving] = createSignal<LetIn>();
  const end = async (app: LetIn) => {
    await attempt(() => call<void>('DELETE', url(`/applications/${encodeURIComponent(app.client)}`)), `${app.name} has no access any more`);
    setLeaving(undefined);
    void refetch();
  };
  return (
    <section class="card pad" aria-labelledby="applications">
      <h2 id="applications">Applications that you let in</h2>
      <Show when={list.error as Error | undefined}>{(error) => <p class="error" role="alert">{error().message}</p>}</Show>
      <ul class="let-in">
        <For each={list.error ? [] : list.latest ?? []} fallback={<li class="muted">{list.loading ? 'Loading…' : 'None. An application that asks for access shows you what it wants first.'}</li>}>
          {(app) => (
            <li>
              <div><b>{app.name}</b> <span class="muted small">{app.active ? '' : 'not in use, '}let in {dateTime(app.at_ms)}</span><p class="small">{app.scopes.join('; ')}</p></div>
              <button type="button" class="btn small" onClick={() => setLeaving(app)}>Take back<span class="sr-only"> the access of {app.name}</span></button>
            </li>
          )}
        </For>
      </ul>
      <Show when={leaving()}>
        {(app) => <ConfirmDialog title={`Take the access of ${app().name} back?`} action="Take back" onClose={() => setLeaving(undefined)} onYes={() => end(app())}><p>It can see nothing more at once. It has to ask you again to come back.</p></ConfirmDialog>}
      </Show>
    </section>
  );
};
