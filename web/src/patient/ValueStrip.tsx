// The present values, large; each leads to where it came from (PR-1).
import { createMemo, For, Show, type Component } from 'solid-js';
import type { CurrentValue, Tile } from '../api/types';
import { isLive } from '../live/store';
import { nowMs } from '../live/clock';
import { showSource } from '../source/source.state';
import { freshness, stateWords } from '../ui/freshness';
import { number, pretty } from '../ui/format';

export const ValueStrip: Component<{ tile: Tile }> = (props) => (
  <ul class="values" aria-label="Present values">
    <For each={props.tile.values}>{(v) => <li><ValueCard value={v} /></li>}</For>
  </ul>
);

const limitsText = (v: CurrentValue): string => {
  if (!v.limits) return '';
  const { low, high } = v.limits;
  return low != null && high != null ? `${low}–${high}` : low != null ? `≥ ${low}` : high != null ? `≤ ${high}` : '';
};

const ValueCard: Component<{ value: CurrentValue }> = (props) => {
  const fresh = createMemo(() => freshness(props.value, nowMs(), isLive()), undefined, { equals: (a, b) => a.state === b.state && a.age === b.age });
  const v = () => props.value;
  const shown = () => (v().text && (v().unit === '' || v().unit === '1' || v().value == null) ? v().text : number(v().value, v().decimals));
  const points = () => (fresh().state === 'stale' ? 0 : (v().points ?? 0));
  return (
    <button type="button" class={`value-card ${fresh().state}`} onClick={() => showSource(v().reading)} title={`${v().name}: where does this number come from?`}>
      <span class="value-top"><span>{pretty(v().label)}</span><Show when={points() > 0}><span class={`pts p${Math.min(points(), 3)}`}>+{points()}</span></Show></span>
      <span class="value-main">
        <Show when={fresh().state === 'stale'} fallback={<span class="n">{shown()}</span>}><s class="n">{shown()}</s></Show>
        <Show when={fresh().state === 'doubtful'}><span class="doubt" aria-hidden="true">?</span></Show>
        <span class="u">{v().unit === '1' ? '' : v().unit}</span>
      </span>
      <span class="value-foot">
        <Show when={fresh().age} fallback={<span>{limitsText(v())}</span>}>
          {(age) => <span class="value-age">{age()}{fresh().state === 'stale' ? ' old' : ' ago'}</span>}
        </Show>
        <Show when={fresh().state === 'recorded'}><span class="badge-recorded">REC</span></Show>
        <Show when={fresh().state === 'doubtful'}><span>{v().flags.join(', ')}</span></Show>
      </span>
      <span class="sr-only">{stateWords(fresh(), v().flags)}</span>
    </button>
  );
};
