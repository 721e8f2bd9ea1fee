// An early-warning score with its band, its change in an hour and its line.
import { createMemo, Show, type Component } from 'solid-js';
import type { ScoreView } from '../api/types';
import { isLive } from '../live/store';
import { number } from '../ui/format';
import { Sparkline } from './Sparkline';
import { delta } from './ward.state';

/** `▲2` for two points more than an hour ago. */
export const Delta: Component<{ score: ScoreView }> = (props) => {
  const change = createMemo(() => delta(props.score));
  return (
    <Show when={change()} fallback={<span class="delta" />}>
      {(d) => (
        <span class="delta" classList={{ up: d() > 0, down: d() < 0 }} title="Change in an hour">
          <span aria-hidden="true">{d() > 0 ? '▲' : '▼'}{Math.abs(d())}</span>
          <span class="sr-only">{d() > 0 ? ` up ${d()}` : ` down ${-d()}`} in an hour</span>
        </span>
      )}
    </Show>
  );
};

export const ScoreBadge: Component<{ score: ScoreView }> = (props) => (
  <span class="score" classList={{ stale: !isLive() }}>
    <span class={`score-value band-${props.score.band}`} title={`${props.score.name}: ${props.score.response}`}>
      <span class="score-name">{props.score.name}</span>
      <b>{props.score.complete ? '' : '≥'}{number(props.score.value, props.score.value != null && props.score.value % 1 ? 2 : 0)}</b>
      <span class="sr-only"> band {props.score.band}{props.score.complete ? '' : ', incomplete'}</span>
    </span>
    <Delta score={props.score} />
    <Sparkline trend={props.score.trend} />
  </span>
);
