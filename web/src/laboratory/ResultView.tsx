// What a run found: in plain words, as a curve, line by line, alert by alert.
import { createSignal, For, Show, type Component } from 'solid-js';
import { may } from '../session/session';
import { plural, sentence } from '../ui/format';
import { CallsTable, CausesTable, EventsTable, WholeTable } from './ComparisonTables';
import { caution, monitored, plainWords } from './comparison.state';
import { CurveCard } from './CurveCard';
import type { Result, Run } from './laboratory.api';
import { MovedCard } from './MovedCard';
import { PlainWords } from './PlainWords';
import { ProposeDialog } from './ProposeDialog';
import { periodWords, shownFirst, unproposed } from './run.state';
import { candidateName } from './versions.state';

export const ResultView: Component<{ run: Run; result: Result }> = (props) => {
  const [shown, setShown] = createSignal(shownFirst(props.result));
  const [proposing, setProposing] = createSignal(false);
  const report = () => props.result.report;
  const now = () => report().policies[0]!;
  const then = () => report().policies[shown()]!;
  const difference = () => report().differences[shown() - 1];
  const candidate = () => props.result.candidates[shown()]!;
  const name = () => candidateName(candidate(), shown());
  const several = () => props.result.candidates.length > 2;
  return (
    <>
      <p class="small muted">{periodWords(report())}: {plural(report().patients, 'patient')}, {monitored(report().bed_days)}.</p>
      <Show when={caution(report().bed_days, report().patients)}>{(text) => <p class="lab-caution" role="note">⚠ {text()}</p>}</Show>
      <For each={[...props.result.notes, unproposed(props.result, props.run.asked.budget)].filter(Boolean)}>{(note) => <p class="lab-caution" role="note">⚠ {sentence(note)}</p>}</For>
      <Show when={several()}>
        <CurveCard result={props.result} budget={props.run.asked.budget ?? null} target={props.run.asked.target ?? null} swept={props.run.asked.sweep.map((s) => s.path)} shown={shown()} onShow={setShown} />
      </Show>
      <section class="card" aria-labelledby="words-title">
        <header>
          <h2 id="words-title">{several() ? name() : 'In short'}</h2>
          <span class="grow" />
          <Show when={may('manage-policy') && shown() > 0}><button type="button" class="btn primary" onClick={() => setProposing(true)}>Propose…</button></Show>
        </header>
        <div class="body stack">
          <PlainWords lines={plainWords(now(), then(), difference())} />
          <Show when={several()}><p class="small muted">The best of many is flattered by having been chosen on this period: try it on another one before you propose it.</p></Show>
        </div>
      </section>
      <div class="lab-tables">
        <WholeTable now={now()} then={then()} difference={difference()} />
        <EventsTable now={now()} then={then()} horizon={report().horizon_h} />
        <CausesTable now={now()} then={then()} titles={props.result.titles} />
        <CallsTable now={now()} then={then()} />
      </div>
      <Show when={difference()?.alerts}>{(moved) => <MovedCard run={props.run.id} candidate={shown()} moved={moved()} />}</Show>
      <section class="card" aria-labelledby="assumed-title">
        <header><h2 id="assumed-title">What was assumed</h2></header>
        <ul class="lab-list body"><For each={report().assumptions}>{(text) => <li>{sentence(text)}</li>}</For></ul>
      </section>
      <Show when={proposing()}><ProposeDialog run={props.run} candidate={shown()} name={name()} onClose={() => setProposing(false)} /></Show>
    </>
  );
};
