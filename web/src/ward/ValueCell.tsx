// One value on a tile: label, points, age; number and unit. Never looks live when it is not (TI-1).
import { createMemo, Show, type Component } from 'solid-js';
import type { CurrentValue } from '../api/types';
import { isLive } from '../live/store';
import { nowMs } from '../live/clock';
import { freshness, stateWords } from '../ui/freshness';
import { number, pretty } from '../ui/format';

interface ValueCellProps {
  /** Short label. */
  label: string;
  value: CurrentValue | undefined;
  /** What to show instead of the number. */
  shown?: string;
}

export const ValueCell: Component<ValueCellProps> = (props) => {
  const fresh = createMemo(() => (props.value ? freshness(props.value, nowMs(), isLive()) : null), undefined, {
    equals: (a, b) => a?.state === b?.state && a?.age === b?.age,
  });
  const text = () => props.shown ?? (props.value ? number(props.value.value, props.value.decimals) : '–');
  const unit = () => props.value?.unit ?? '';
  const points = () => props.value?.points ?? 0;
  const stale = () => fresh()?.state === 'stale';
  return (
    <span class={`cell ${fresh()?.state ?? 'none'}`}>
      <span class="cell-top">
        <span>{pretty(props.label)}</span>
        <span class="u">{unit()}</span>
        <Show when={!stale() && fresh()?.age}>{(age) => <span class="cell-age" aria-hidden="true">{age().replace(' min', 'm').replace(' ', '')}</span>}</Show>
      </span>
      <span class={`cell-value p${Math.min(points(), 3)}`}>
        <Show when={stale()} fallback={
          <>
            <span class="n">{text()}</span>
            <Show when={fresh()?.state === 'doubtful'}><span class="doubt" aria-hidden="true">?</span></Show>
            <Show when={points() > 0}><span class="plus">+{points()}</span></Show>
            <Show when={fresh() && stateWords(fresh()!, props.value?.flags ?? [])}>{(words) => <span class="sr-only"> {words()}</span>}</Show>
          </>
        }>
          <s class="n">{text()}</s>
          <span class="old"><span>{fresh()?.age} </span><span>old</span></span>
          <span class="sr-only"> stale</span>
        </Show>
      </span>
    </span>
  );
};
