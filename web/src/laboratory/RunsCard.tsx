// What was tried so far, newest first.
import { For, Show, type Component } from 'solid-js';
import { dateTime, sentence } from '../ui/format';
import type { Parameter, Run } from './laboratory.api';
import { askedWords } from './run.state';
import { RUN_WORD } from './versions.state';

export const RunsCard: Component<{ runs: Run[]; numbers: Parameter[]; failure: string }> = (props) => (
  <section class="card" aria-labelledby="runs-title">
    <header><h2 id="runs-title">Tried so far</h2></header>
    <Show when={props.failure}><p class="error" role="alert">{sentence(props.failure)}</p></Show>
    <ul class="lab-list body">
      <For each={props.runs} fallback={<li class="muted">Nothing yet. The last ten are kept; propose what is to stay.</li>}>
        {(run) => (
          <li class="row">
            <a href={`/laboratory/runs/${run.id}`}>{run.title || askedWords(run.asked, props.numbers)}</a>
            <span class="chip">{RUN_WORD[run.state] ?? run.state}{run.state === 'running' && run.progress.total ? `, ${Math.round(run.progress.share * 100)} %` : ''}</span>
            <span class="small muted">{dateTime(run.started_ms)}, {run.by || 'nobody named'}</span>
          </li>
        )}
      </For>
    </ul>
  </section>
);
