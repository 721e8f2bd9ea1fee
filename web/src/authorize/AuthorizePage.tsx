// An application asks for access: what it wants in plain words, for which patient, yes or no.
import { createResource, createSignal, For, Match, Show, Switch, type Component } from 'solid-js';
import { currentQuery } from '../app/router';
import { PatientSearch } from '../devices/PatientSearch';
import { logOut, may } from '../session/session';
import type { PatientBrief } from '../api/types';
import { answer, ask, given, goOn, groups, type AskedAccess } from './authorize.state';
import './authorize.css';

export default (() => {
  const [asked] = createResource(async () => {
    const question = await ask(currentQuery().toString());
    if (question.redirect) goOn(question.redirect);
    else if (question.settled) goOn((await answer({ ticket: question.ticket, allow: true })).redirect);
    else return question;
    return null;
  });
  document.title = 'An application asks · Vitalwire';
  return (
    <main class="login authorize" id="main">
      <Switch>
        <Match when={asked.error}>
          <div class="card" role="alert"><h1>This can’t go on</h1><p>{(asked.error as Error).message}</p><p class="muted">Tell whoever runs the application.</p></div>
        </Match>
        <Match when={asked()}>{(question) => <Question asked={question()} />}</Match>
        <Match when={true}><p class="empty" role="status">Going on to the application…</p></Match>
      </Switch>
    </main>
  );
}) satisfies Component;

const Question: Component<{ asked: AskedAccess }> = (props) => {
  const all = () => groups(props.asked.scopes);
  const [left, setLeft] = createSignal<ReadonlySet<string>>(new Set());
  const [patient, setPatient] = createSignal<PatientBrief | null>(null);
  const [error, setError] = createSignal('');
  const [busy, setBusy] = createSignal(false);
  const missing = () => props.asked.choose_patient && !patient();
  const toggle = (words: string) => setLeft((old) => {
    const next = new Set(old);
    if (!next.delete(words)) next.add(words);
    return next;
  });
  const say = async (allow: boolean) => {
    setBusy(true);
    setError('');
    try {
      const decision = { ticket: props.asked.ticket, allow, scopes: given(all(), left()), patient: patient()?.id };
      goOn((await answer(decision)).redirect);
    } catch (cause) {
      setError((cause as Error).message);
      setBusy(false);
    }
  };
  return (
    <form class="card" aria-labelledby="asks" onSubmit={(e) => { e.preventDefault(); void say(true); }}>
      <h1 id="asks"><b>{props.asked.application}</b> asks for access</h1>
      <p class="muted">You are logged in as <b>{props.asked.account}</b>. Your answer goes to <b>{props.asked.goes_to}</b>. <button type="button" class="btn quiet small" onClick={() => void logOut()}>Not you?</button></p>
      <fieldset>
        <legend>It wants to</legend>
        <For each={all()}>
          {(group) => (
            <label class="check"><input type="checkbox" checked={!left().has(group.words)} disabled={!group.optional} onChange={() => toggle(group.words)} /> <span>{group.words}</span></label>
          )}
        </For>
      </fieldset>
      <Show when={props.asked.patient ?? patient()}>
        {(who) => (
          <p class="note">For <b>{who().name || 'Name unknown'}</b>, {who().sex}, MRN {who().mrn || '–'}
            <Show when={!props.asked.patient}> <button type="button" class="btn quiet small" onClick={() => setPatient(null)}>Another</button></Show></p>
        )}
      </Show>
      <Show when={missing()}>
        <Show when={may('see-patients')} fallback={<p class="error" role="alert">A patient has to be chosen, and your role may see none.</p>}>
          <fieldset><legend>For which patient?</legend><PatientSearch onPick={setPatient} /></fieldset>
        </Show>
      </Show>
      <p class="small muted">It gets no more than you may see yourself. You can take this back at any time on the page of your account.</p>
      <Show when={error()}><p class="error" role="alert">{error()}</p></Show>
      <div class="dialog-foot">
        <button type="button" class="btn" disabled={busy()} onClick={() => void say(false)}>No</button>
        <button class="btn primary" disabled={busy() || missing()}>Allow</button>
      </div>
    </form>
  );
};
