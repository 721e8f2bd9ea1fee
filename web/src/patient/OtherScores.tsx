// The other scores that can be computed, each to be opened.
import { For, Show, type Component } from 'solid-js';
import type { ScoreView, Tile } from '../api/types';
import { PartsTable } from './ScoreCard';

const shown = (s: ScoreView) => (s.value == null ? '–' : `${s.complete ? '' : '≥ '}${s.value % 1 ? s.value.toFixed(2) : s.value}`);

export const OtherScores: Component<{ scores: ScoreView[]; not: string; tile: Tile | undefined }> = (props) => {
  const list = () => props.scores.filter((s) => s.name !== props.not);
  return (
    <Show when={list().length}>
      <section class="card" aria-labelledby="others">
        <header><h2 id="others">Other scores</h2></header>
        <For each={list()}>
          {(s) => (
            <details class="other-score">
              <summary><span>{s.name}</span><Show when={!s.complete}><span class="muted small">incomplete</span></Show><b>{shown(s)}</b></summary>
              <Show when={s.parts.length}><PartsTable score={s} tile={props.tile} /></Show>
              <p class="muted small">{s.response} {s.source}</p>
            </details>
          )}
        </For>
      </section>
    </Show>
  );
};
