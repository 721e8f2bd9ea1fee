// Until somebody came, and what clinicians said that alerts were.
import { For, type Component } from 'solid-js';
import { roleWord } from '../alerts/alerts.state';
import { plural } from '../ui/format';
import type { Figures } from './burden.api';
import { shareText, took } from './burden.state';

export const HandlingCard: Component<{ figures: Figures }> = (props) => (
  <section class="card" aria-labelledby="handling-title">
    <header><h2 id="handling-title">Until somebody came</h2></header>
    <div class="scroll" tabindex="0" role="region" aria-label="Table: until somebody came">
      <table class="table">
        <thead><tr><th scope="col">Role</th><th scope="col">Shift</th><th scope="col" class="num">Taken</th><th scope="col" class="num">Half within</th><th scope="col" class="num">Nine in ten within</th></tr></thead>
        <tbody>
          <For each={props.figures.handling} fallback={<tr><td colspan="5" class="empty">Nobody took an alert.</td></tr>}>
            {(one) => <tr><th scope="row">{one.role ? roleWord(one.role) : 'not known'}</th><td>{one.shift}</td><td class="num">{one.took.n}</td><td class="num">{took(one.took.median_s)}</td><td class="num">{took(one.took.p90_s)}</td></tr>}
          </For>
        </tbody>
      </table>
    </div>
    <div class="body">
      <p>{plural(props.figures.never_taken, 'alert')} lasted longer than two minutes and nobody took them. Half of those that are over lasted {took(props.figures.lasted.median_s)} or less.</p>
      <p>Judged actionable: {shareText(props.figures.judged.actionable)}; not actionable {props.figures.judged.not_actionable}, artefact {props.figures.judged.artefact}.</p>
    </div>
  </section>
);
