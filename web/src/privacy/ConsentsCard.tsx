// Consents in plain words: what holds, who wrote it; giving one and taking it back.
import { createResource, createSignal, For, Show, type Component } from 'solid-js';
import { dateTime } from '../ui/format';
import { attempt } from '../ui/toast';
import { ConsentDialog } from './ConsentDialog';
import { privacy, type Consent, type Whose } from './privacy.api';

export const ConsentsCard: Component<{ whose: Whose; change: boolean; title?: string }> = (props) => {
  const [list, { refetch }] = createResource(() => props.whose, privacy.consents);
  const [writing, setWriting] = createSignal(false);
  const withdraw = async (consent: Consent) => {
    const done = await attempt(() => privacy.withdraw(props.whose, consent.id).then(() => true), 'The consent is taken back; it holds no more');
    if (done) void refetch();
  };
  const inForce = () => (list.latest?.consents ?? []).filter((c) => c.status === 'active');
  const past = () => (list.latest?.consents ?? []).filter((c) => c.status !== 'active');
  return (
    <section class="card" aria-label="Consents">
      <header><h2>{props.title ?? 'Consents'}</h2><span class="grow" />
        <Show when={props.change}><button type="button" class="btn small primary" onClick={() => setWriting(true)}>Add a consent</button></Show>
      </header>
      <div class="body stack">
        <Show when={list.error as Error | undefined}>{(error) => <p class="error" role="alert">{error().message}</p>}</Show>
        <ul class="plain"><For each={list.latest?.stance ?? []}>{(line) => <li class="muted small">{line}</li>}</For></ul>
        <ul class="consents">
          <For each={inForce()} fallback={<li class="muted">{list.loading ? 'Loading…' : 'No consent is in force.'}</li>}>
            {(consent) => (
              <li>
                <div><For each={consent.sentences}>{(sentence) => <p>{sentence}</p>}</For>
                  <p class="small muted">Written by {consent.by}, {dateTime(consent.updated_ms)}</p></div>
                <Show when={props.change}><button type="button" class="btn small" onClick={() => void withdraw(consent)}>Take back<span class="sr-only">: {consent.sentences[0]}</span></button></Show>
              </li>
            )}
          </For>
        </ul>
        <Show when={past().length}>
          <details><summary>No longer in force ({past().length})</summary>
            <ul class="consents"><For each={past()}>{(consent) => <li><div><For each={consent.sentences}>{(s) => <p class="muted">{s}</p>}</For><p class="small muted">{consent.status}, {consent.by}, {dateTime(consent.updated_ms)}</p></div></li>}</For></ul>
          </details>
        </Show>
      </div>
      <Show when={writing()}><ConsentDialog whose={props.whose} onClose={() => setWriting(false)} onDone={() => { setWriting(false); void refetch(); }} /></Show>
    </section>
  );
};
