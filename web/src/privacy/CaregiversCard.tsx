// Whom a patient lets see the own record: invited with a link that works once, dismissed at any time.
import { createResource, createSignal, For, Show, type Component } from 'solid-js';
import { dateTime } from '../ui/format';
import { attempt } from '../ui/toast';
import { privacy, type Caregiver, type Invited } from './privacy.api';
import { CATEGORY_WORD } from './words';

export const CaregiversCard: Component = () => {
  const [list, { refetch }] = createResource(privacy.caregivers);
  const [invited, setInvited] = createSignal<Invited>();
  const invite = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    const until = String(data.get('until') ?? '');
    const wanted = { label: String(data.get('label')).trim(), categories: data.getAll('category').map(String), until_ms: until ? new Date(`${until}T23:59:59`).getTime() : null };
    const done = await attempt(() => privacy.invite(wanted));
    if (done) { setInvited(done); form.reset(); void refetch(); }
  };
  const dismiss = async (caregiver: Caregiver) => {
    if (await attempt(() => privacy.dismiss(caregiver.id).then(() => true), `${caregiver.label} sees nothing any more`)) { setInvited(undefined); void refetch(); }
  };
  return (
    <section class="card" aria-label="My caregivers">
      <header><h2>My caregivers</h2></header>
      <div class="body stack">
        <ul class="consents">
          <For each={list.latest?.caregivers ?? []} fallback={<li class="muted">Nobody.</li>}>
            {(one) => (
              <li>
                <div><p><b>{one.label}</b> <span class="muted">{one.account ?? `invited, not here yet; until ${dateTime(one.expires_ms)}`}</span></p>
                  <p class="small muted">May see: {one.categories.map((name) => CATEGORY_WORD[name] ?? name).join(', ')}{one.until_ms ? `, until ${dateTime(one.until_ms)}` : ''}</p></div>
                <button type="button" class="btn small" onClick={() => void dismiss(one)}>Dismiss<span class="sr-only"> {one.label}</span></button>
              </li>
            )}
          </For>
        </ul>
        <Show when={invited()}>
          {(i) => (
            <div class="note" role="status">
              <p>Give this link to the person whom you invite. It is shown once and works once, within a week:</p>
              <p class="mono invitation">{window.location.origin}{i().link}</p>
            </div>
          )}
        </Show>
        <form class="stack" onSubmit={(e) => void invite(e)}>
          <h3>Invite somebody</h3>
          <label class="field">How do you call them?<input name="label" required maxlength="100" autocomplete="off" /></label>
          <fieldset class="choices">
            <legend>What may they see? (none chosen: everything)</legend>
            <For each={Object.entries(CATEGORY_WORD).filter(([name]) => name !== 'demographics')}>{([value, word]) => <label><input type="checkbox" name="category" value={value} /> {word}</label>}</For>
          </fieldset>
          <label class="field">Until when? (empty: until you dismiss them)<input type="date" name="until" /></label>
          <div><button class="btn">Invite</button></div>
        </form>
      </div>
    </section>
  );
};
