// The alerts of the range above the charts, on the same time axis; each leads to its page. Where many come at once, one mark tells
// how many and leads to the gravest; a shorter range shows them apart.
import { createMemo, createSignal, For, onCleanup, Show, type Component } from 'solid-js';
import type { Alert } from '../api/types';
import { serverNow } from '../live/clock';
import { AlarmShape, PRIORITY_WORD } from '../ui/AlarmMark';
import { timeOfDay } from '../ui/format';
import { gather, marks, type MarkGroup, type Range } from './trends.state';

/** Width of a mark that a finger can hit, and of one with a count, in pixels. */
const MARK = 26;
const COUNTED = 40;

const words = (group: MarkGroup): string => {
  const [first] = group.alerts;
  if (!first) return '';
  const one = `${PRIORITY_WORD[first.priority]}: ${first.title}, ${timeOfDay(first.raised_ms)}`;
  return group.alerts.length > 1 ? `${group.alerts.length} alerts; ${one}` : one;
};

export const AlertTrack: Component<{ alerts: Alert[]; range: Range }> = (props) => {
  const [width, setWidth] = createSignal(600);
  const shown = createMemo(() => {
    const all = marks(props.alerts, props.range, serverNow());
    const apart = gather(all, (MARK / width()) * 100);
    return apart.some((group) => group.alerts.length > 1) ? gather(all, (COUNTED / width()) * 100) : apart;
  });
  const watch = (list: HTMLUListElement) => {
    const seen = new ResizeObserver(() => setWidth(Math.max(MARK, list.clientWidth)));
    seen.observe(list);
    onCleanup(() => seen.disconnect());
  };
  return (
    <Show when={shown().length}>
      <div class="alert-track">
        <span class="track-title">Alerts</span>
        <ul ref={watch}>
          <For each={shown()}>
            {(group) => (
              <li style={{ left: `${group.left}%`, width: `${group.width}%` }} class={group.alerts[0]?.priority} classList={{ late: group.left > 100 - (COUNTED / width()) * 100 }}>
                <a href={`/alerts/${encodeURIComponent(group.alerts[0]?.episode ?? '')}`} title={words(group)}>
                  <AlarmShape priority={group.alerts[0]?.priority ?? 'low'} />
                  <Show when={group.alerts.length > 1}><b class="track-count" aria-hidden="true">{group.alerts.length}</b></Show>
                  <span class="sr-only">{words(group)}</span>
                </a>
              </li>
            )}
          </For>
        </ul>
      </div>
    </Show>
  );
};
