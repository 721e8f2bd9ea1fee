// All scores side by side: which says what and why, what it asks for, and how often it was right in this house.
import { createResource, For, Show, type Component } from 'solid-js';
import type { ScoreView, Tile } from '../api/types';
import { burden, type ScoreRight } from '../burden/burden.api';
import { shareText } from '../burden/burden.state';
import { may } from '../session/session';
import { bandWord, rightOf, shownScore, standing } from './scores.state';
import { PartsTable } from './ScoreCard';

export const OtherScores: Component<{ scores: ScoreView[]; not: string; tile: Tile | undefined }> = (props) => {
  const list = () => [...props.scores].sort((a, b) => standing(b.band) - standing(a.band));
  const [right] = createResource(() => may('see-policy') && props.scores.length > 0, (asked) => (asked ? burden.scores().catch(() => null) : Promise.resolve(null)));
  return (
    <Show when={list().length}>
      <section class="card" aria-labelledby="others">
        <header><h2 id="others">All scores</h2></header>
        <For each={list()}>
          {(s) => (
            <details class="other-score" open={s.name !== props.not && standing(s.band) >= 3}>
              <summary><span>{s.name}</span><span class={`chip band band-${s.band}`}>{bandWord(s.band)}</span><Show when={!s.complete}><span class="muted small">incomplete</span></Show><b>{shownScore(s)}</b></summary>
              <Show when={s.response}><p class="small"><b>{s.response}</b></p></Show>
              <Show when={s.parts.length && s.name !== props.not}><PartsTable score={s} tile={props.tile} /></Show>
              <Show when={s.note}><p class="small">{s.note}</p></Show>
              <Right bands={rightOf(right.latest?.scores ?? [], s)} days={right.latest?.days ?? 0} />
              <p class="muted small">{s.source}</p>
            </details>
          )}
        </For>
        <Show when={right.latest}>{(r) => <p class="muted small body">Right here: warnings of the last {r().days} days that were followed within {r().horizon_h} h by a death, {r().higher_care.length ? `a move to ${r().higher_care.join(', ')}, ` : ''}or an alert that somebody judged actionable.</p>}</Show>
      </section>
    </Show>
  );
};

const Right: Component<{ bands: ScoreRight[]; days: number }> = (props) => (
  <ul class="small score-right"><For each={props.bands}>{(band) => <li>From {band.from} on, right here: {shareText(band.right.followed)}</li>}</For></ul>
);
