// The present values, large; each leads to where it came from (PR-1).
import { createMemo, For, Show, type Component } from 'solid-js';
import type { Tile } from '../api/types';
import { isLive } from '../live/store';
import { nowMs } from '../live/clock';
import { showSource } from '../source/source.state';
import { freshness, stateWords } from '../ui/freshness';
import { pretty } from '../ui/format';
import { cards, type Card } from './values.state';

export const ValueStrip: Component<{ tile: Tile }> = (props) => {
  const shown = createMemo(() => cards(props.tile.values));
  const metrics = createMemo(() => shown().map((c) => c.main.metric), [], { equals: (a, b) => a.join() === b.join() });
  return (
    <ul class="values" aria-label="Present values">
      <For each={metrics()}>{(metric) => <Show when={shown().find((c) => c.main.metric === metric)}>{(card) => <li><ValueCard card={card()} /></li>}</Show>}</For>
    </ul>
  );
};

const ValueCard: Component<{ card: Card }> = (props) => {
  const v = () => props.card.main;
  const fresh = createMemo(() => freshness(v(), nowMs(), isLive()), undefined, { equals: (a, b) => a.state === b.state && a.age === b.age });
  const points = () => (fresh().state === 'stale' ? 0 : (v().points ?? 0));
  const stale = () => fresh().state === 'stale';
  const word = () => !/^[\d.,/–-]+$/.test(props.card.shown);
  return (
    <button type="button" class={`value-card ${fresh().state}`} classList={{ word: word() }} onClick={() => showSource(v().reading)} title={`${v().name}: where does this number come from?`}>
      <span class="value-top"><span>{pretty(props.card.label)}</span><Show when={points() > 0}><span class={`pts p${Math.min(points(), 3)}`}>+{points()}</span></Show></span>
      <span class="value-main">
        <Show when={stale()} fallback={<span class="n">{props.card.shown}</span>}><s class="n">{props.card.shown}</s></Show>
        <Show when={fresh().state === 'doubtful'}><span class="doubt" aria-hidden="true">?</span></Show>
        <span class="u">{props.card.more} {v().unit === '1' ? '' : v().unit}</span>
      </span>
      <span class="value-foot">
        <Show when={fresh().age} fallback={<span>{props.card.limits}</span>}>
          {(age) => <span class="value-age">{age()}{stale() ? ' old' : ' ago'}</span>}
        </Show>
        <Show when={fresh().state === 'recorded'}><span class="badge-recorded">REC</span></Show>
        <Show when={fresh().state === 'doubtful'}><span>{v().flags.join(', ')}</span></Show>
      </span>
      <span class="sr-only">{stateWords(fresh(), v().flags)}</span>
    </button>
  );
};
