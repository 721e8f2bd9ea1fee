// Fixing a profile: choose or begin one, edit, test on this message, save. Saving reads it at once.
import { createEffect, createResource, createSignal, For, on, Show, type Component } from 'solid-js';
import { api } from '../api/client';
import type { ProfileTestResult } from '../api/types';
import { plural } from '../ui/format';
import { attempt } from '../ui/toast';
import { draftProfile, freeName } from './profile.state';
import { TraceList } from './TraceList';

interface ProfileEditorProps { offset: number; topic: string; profile: string; payload: string; onSaved: () => void }
const NEW = '(new)';

export const ProfileEditor: Component<ProfileEditorProps> = (props) => {
  const [profiles, { refetch }] = createResource(api.profiles);
  const [chosen, setChosen] = createSignal('');
  const [name, setName] = createSignal('');
  const [text, setText] = createSignal('');
  const [result, setResult] = createSignal<ProfileTestResult | null>(null);
  const mine = () => (profiles.latest ?? []).filter((p) => !p.built_in);
  const current = () => (profiles.latest ?? []).find((p) => p.name === chosen());

  const choose = (which: string) => {
    setChosen(which);
    setResult(null);
    const found = (profiles.latest ?? []).find((p) => p.name === which);
    setName(found && !found.built_in ? found.name : freeName(props.topic, (profiles.latest ?? []).map((p) => p.name)));
    setText(found?.text ?? draftProfile(props.topic, props.payload));
  };
  createEffect(on(() => !profiles.loading && !chosen(), (ready) => { if (ready) choose(mine().find((p) => p.name === props.profile)?.name ?? NEW); }));

  const test = async () => setResult((await attempt(() => api.testProfile({ name: name(), text: text(), offset: props.offset }))) ?? null);
  const save = async () => {
    const done = await attempt(() => api.saveProfile({ name: name(), text: text(), error: '', built_in: false }).then(() => true), `${name()} is in force`);
    if (!done) return;
    await refetch();
    setChosen(name());
    props.onSaved();
  };
  return (
    <section class="profile stack" aria-labelledby="profile-title">
      <div class="row">
        <h3 id="profile-title">Fix the profile</h3>
        <span class="grow" />
        <label class="row small">Profile
          <select class="input" value={chosen()} onChange={(e) => choose(e.currentTarget.value)}>
            <For each={mine()}>{(p) => <option value={p.name}>{p.name}{p.error ? ' (broken)' : ''}</option>}</For>
            <For each={(profiles.latest ?? []).filter((p) => p.built_in)}>{(p) => <option value={p.name}>{p.name} (built in; copy)</option>}</For>
            <option value={NEW}>begin a new one</option>
          </select>
        </label>
      </div>
      <Show when={current()?.error}><p class="error">{current()!.error}</p></Show>
      <label class="field">File name<input value={name()} onInput={(e) => setName(e.currentTarget.value)} spellcheck={false} /></label>
      <label class="field">Text
        <textarea class="code" rows="20" spellcheck={false} value={text()} onInput={(e) => { setText(e.currentTarget.value); setResult(null); }} onKeyDown={(e) => { if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) { e.preventDefault(); void test(); } }} />
      </label>
      <div class="row">
        <button type="button" class="btn" onClick={() => void test()}>Test on this message</button>
        <button type="button" class="btn primary" disabled={!result() || !!result()!.error} title={result() ? '' : 'Test it first'} onClick={() => void save()}>Save</button>
        <span class="muted small">Ctrl+Enter tests</span>
      </div>
      <Show when={result()}>{(r) => <TestResult result={r()} />}</Show>
    </section>
  );
};

const TestResult: Component<{ result: ProfileTestResult }> = (props) => (
  <div class="test-result stack" role="status">
    <Show when={props.result.error}><p class="error">{props.result.error}</p></Show>
    <Show when={!props.result.error}>
      <p><b>{props.result.values.length ? `It yields ${plural(props.result.values.length, 'value')}.` : 'It yields nothing yet.'}</b></p>
      <Show when={props.result.values.length}><ul class="row"><For each={props.result.values}>{(v) => <li class="chip mono">{v}</li>}</For></ul></Show>
    </Show>
    <TraceList trace={props.result.trace} />
    <For each={props.result.problems}>{(p) => <p class="small"><b>{p.kind}</b> <span class="mono">{p.path}</span> {p.detail}</p>}</For>
  </div>
);
