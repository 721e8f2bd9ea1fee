// How often each score was right in this house.
import { For, Show, type Component } from 'solid-js';
import type { ScoreRight } from './burden.api';
import { shareText } from './burden.state';

export const ScoresCard: Component<{ scores: ScoreRight[]; note: string }> = (props) => (
  <section class="card" aria-labelledby="right-title">
    <header><h2 id="right-title">How often scores were right here</h2></header>
    <div class="body"><p class="muted small">{props.note}</p></div>
    <div class="scroll" tabindex="0" role="region" aria-label="Table: how often scores were right">
      <table class="table">
        <thead><tr><th scope="col">Score</th><th scope="col">Warnings followed</th><th scope="col">Events foreseen</th><th scope="col" class="num">Ahead</th></tr></thead>
        <tbody>
          <For each={props.scores}>
            {(one) => (
              <tr>
                <th scope="row">{one.score} from {one.from}<div class="small muted">{one.asks}</div></th>
                <td>{shareText(one.right.followed)}<Show when={one.right.waiting}><div class="small muted">{one.right.waiting} too young to tell</div></Show></td>
                <td>{shareText(one.right.foreseen)}</td>
                <td class="num">{one.right.lead_median_h == null ? '–' : `${one.right.lead_median_h} h`}</td>
              </tr>
            )}
          </For>
        </tbody>
      </table>
    </div>
  </section>
);

export const RIGHT_NOTE = 'A warning is a score that enters the band, once a day and patient. It counts as followed when within 24 hours the patient died, was moved to a unit of higher care, or somebody judged an alert actionable. Whoever is warned of is looked after, so this is no proof.';
