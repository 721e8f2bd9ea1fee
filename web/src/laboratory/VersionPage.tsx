// One version: what it changes, what it would have done, who agreed; and the next step.
import { createResource, For, Show, type Component } from 'solid-js';
import { dateTime, sentence } from '../ui/format';
import { repeat } from '../ui/repeat';
import { LabFrame } from './LabFrame';
import { lab, type Changed, type VersionView } from './laboratory.api';
import { belongsTo, numberWords, valueWords } from './numbers.state';
import { cautionOf, plainWords } from './comparison.state';
import { PlainWords } from './PlainWords';
import { VersionSteps } from './VersionSteps';
import { STATE_MEANING, STATE_WORD } from './versions.state';

const REFRESH_MS = 15_000;

const NumbersTable: Component<{ changed: Changed[]; more: boolean }> = (props) => (
  <section class="card" aria-label="Changed numbers">
    <header><h2>What it changes</h2></header>
    <div class="scroll" tabindex="0" role="region" aria-label="Table: changed numbers">
      <table class="table">
        <thead><tr><th scope="col">Number</th><th scope="col" class="num">Before</th><th scope="col" class="num">This version</th></tr></thead>
        <tbody>
          <For each={props.changed} fallback={<tr><td colspan="3" class="empty">The same numbers.</td></tr>}>
            {(one) => <tr><th scope="row">{belongsTo(one.parameter)}: {numberWords(one.parameter)}</th><td class="num">{valueWords(one.from, one.parameter.unit)}</td><td class="num"><b>{valueWords(one.to, one.parameter.unit)}</b></td></tr>}
          </For>
        </tbody>
      </table>
    </div>
    <Show when={props.more}><p class="body lab-caution" role="note">⚠ It differs in more than numbers: read the whole policy.</p></Show>
  </section>
);

const Facts: Component<{ view: VersionView }> = (props) => {
  const v = () => props.view.version;
  return (
    <dl class="facts">
      <dt>State</dt><dd><span class={`lab-state ${props.view.state}`}>{STATE_WORD[props.view.state] ?? props.view.state}</span> <span class="muted">{STATE_MEANING[props.view.state]}</span></dd>
      <dt>Why</dt><dd>{v().reason}</dd>
      <dt>Proposed</dt><dd>{v().proposed_by}, {dateTime(v().proposed_ms)}</dd>
      <Show when={v().emergency}>{(one) => <><dt>Put in force</dt><dd>{one().by}, {dateTime(one().at_ms)}, without review: {one().reason}</dd></>}</Show>
      <Show when={v().approved_by}>{(by) => <><dt>Approved</dt><dd>{by()}, {dateTime(v().approved_ms ?? 0)}{v().approval && `: ${v().approval}`}</dd></>}</Show>
      <Show when={v().ended}>{(end) => <><dt>{STATE_WORD[end().how] ?? end().how}</dt><dd>{end().by}, {dateTime(end().at_ms)}{end().reason && `: ${end().reason}`}</dd></>}</Show>
      <dt>Tried on</dt><dd>{v().simulated}</dd>
      <dt>Hash</dt><dd class="mono">{v().hash}</dd>
    </dl>
  );
};

const VersionPage: Component<{ params: Record<string, string> }> = (props) => {
  const [view, { mutate, refetch }] = createResource(() => props.params.number, lab.version);
  // Somebody else may approve, refuse or put in force while it is looked at.
  repeat(() => (view.loading || view.error ? undefined : refetch()), REFRESH_MS);
  return (
    <LabFrame at="versions" state={view.error ? undefined : view.latest?.state}>
      <Show when={view.error as Error | undefined}>{(error) => <p class="error" role="alert">{sentence(error().message)} <a href="/laboratory/versions">All versions</a></p>}</Show>
      <Show when={!view.error && view.latest} fallback={<Show when={!view.error}><p class="empty" role="status">Loading…</p></Show>}>
        {(v) => (
          <>
            <section class="card" aria-labelledby="version-title">
              <header><h2 id="version-title">Version {v().version.number}: {v().version.title}</h2></header>
              <div class="body stack">
                <Facts view={v()} />
                <VersionSteps view={v()} onChange={mutate} onStale={() => void refetch()} />
              </div>
            </section>
            <NumbersTable changed={v().version.changed ?? []} more={v().version.more ?? false} />
            <Show when={v().version.present && v().version.figures}>
              <section class="card" aria-labelledby="found-title">
                <header><h2 id="found-title">What it would have done</h2></header>
                <div class="body stack"><Show when={cautionOf(v().version.present!)}>{(text) => <p class="lab-caution" role="note">⚠ {text()}</p>}</Show><PlainWords lines={plainWords(v().version.present!, v().version.figures!, v().version.difference ?? undefined)} /></div>
              </section>
            </Show>
            <details class="card body"><summary>The whole policy</summary><pre class="payload" tabindex="0">{v().version.policy}</pre></details>
          </>
        )}
      </Show>
    </LabFrame>
  );
};
export default VersionPage;
