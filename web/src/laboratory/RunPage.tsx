// One run: how far it is, or what it found.
import { createResource, createSignal, Match, Show, Switch, type Component } from 'solid-js';
import { ApiError } from '../api/client';
import { go } from '../app/router';
import { may } from '../session/session';
import { dateTime, plural, sentence } from '../ui/format';
import { repeat } from '../ui/repeat';
import { attempt } from '../ui/toast';
import { LabFrame } from './LabFrame';
import { lab, type Run } from './laboratory.api';
import { leftWords } from './plan.state';
import { ResultView } from './ResultView';
import { askedWords } from './run.state';
import { candidateName } from './versions.state';

const POLL_MS = 1_000;

const Running: Component<{ run: Run; onCancel: () => void }> = (props) => {
  const progress = () => props.run.progress;
  const percent = () => Math.floor(progress().share * 100);
  return (
    <section class="card body stack" aria-label="Progress">
      <p role="status">Taking the past in again… {progress().total ? `${percent()} %` : 'looking how much there is'}</p>
      <Show when={progress().total} fallback={<progress aria-label="How far it is" />}><progress max={1} value={progress().share} aria-label="How far it is" /></Show>
      <p class="small muted">{Math.round(progress().seconds)} s so far{leftWords(progress().left_s) && `, ${leftWords(progress().left_s)}`}. You may leave this page; it goes on, and the ward is looked after as always.</p>
      <Show when={may('manage-policy')}><div><button type="button" class="btn danger" onClick={() => props.onCancel()}>Cancel</button></div></Show>
    </section>
  );
};

const RunPage: Component<{ params: Record<string, string> }> = (props) => {
  const [run, { refetch }] = createResource(() => props.params.run, lab.run);
  const [about] = createResource(lab.about);
  const numbers = () => (about.loading || about.error ? [] : about.latest?.numbers);
  const [cancelling, setCancelling] = createSignal(false);
  // A server that is not reached for a while has not forgotten the run.
  const waits = () => (run.error ? (run.error as ApiError).status === 0 : run.latest?.state === 'running');
  repeat(() => (!run.loading && waits() ? refetch() : undefined), POLL_MS);
  const cancel = async () => {
    setCancelling(true);
    await attempt(() => lab.end(props.params.run ?? ''), 'Cancelled');
    await refetch();
    setCancelling(false);
  };
  const forget = async () => {
    const done = await attempt(() => lab.end(props.params.run ?? '').then(() => true), 'Forgotten');
    if (done) go('/laboratory');
  };
  const again = async (asked: Run['asked']) => {
    const begun = await attempt(() => lab.start(asked));
    if (begun) go(`/laboratory/runs/${begun.id}`);
  };
  return (
    <LabFrame at="try">
      <Show when={run.error as Error | undefined}>{(error) => <p class="error" role="alert">{sentence(error().message)} <a href="/laboratory">Try it again</a></p>}</Show>
      <Show when={!run.error && run.latest} fallback={<Show when={!run.error}><p class="empty" role="status">Loading…</p></Show>}>
        {(r) => (
          <>
            <div class="page-head">
              <h2 class="lab-title">{r().title || (r().result?.candidates.length === 2 ? candidateName(r().result!.candidates[1]!, 1) : askedWords(r().asked, numbers()))}</h2>
              <span class="small muted">{r().state === 'running' ? 'begun' : 'tried'} {dateTime(r().started_ms)} by {r().by || 'nobody named'}</span>
              <span class="grow" />
              <Show when={may('manage-policy') && r().state !== 'running'}><button type="button" class="btn small" onClick={() => void forget()}>Forget</button></Show>
              <a class="btn small" href="/laboratory">Change and try again</a>
            </div>
            <Switch>
              <Match when={r().state === 'running'}><Show when={!cancelling()} fallback={<p class="empty" role="status">Being cancelled…</p>}><Running run={r()} onCancel={() => void cancel()} /></Show></Match>
              <Match when={r().state === 'failed'}><p class="error" role="alert">It could not be tried. {sentence(r().error ?? '')}</p></Match>
              <Match when={r().state === 'cancelled'}><p class="card body">Cancelled after {plural(Math.round(r().progress.seconds), 'second')}: there is no result. Nothing was changed.</p></Match>
              <Match when={r().state === 'interrupted'}>
                <section class="card body stack" aria-label="Ended by a restart">
                  <p role="status">Ended by a restart: the program was stopped while this was tried. There is no result, and nothing was changed.</p>
                  <Show when={may('manage-policy')}><div><button type="button" class="btn primary" onClick={() => void again(r().asked)}>Begin it again</button></div></Show>
                </section>
              </Match>
              <Match when={r().result}>{(result) => <ResultView run={r()} result={result()} />}</Match>
            </Switch>
          </>
        )}
      </Show>
    </LabFrame>
  );
};
export default RunPage;
