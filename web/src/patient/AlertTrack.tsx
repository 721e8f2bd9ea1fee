// The alerts of the range above the charts, on the same time axis; each leads to its page.
import { createMemo, For, Show, type Component } from 'solid-js';
import type { Alert } from '../api/types';
import { serverNow } from '../live/clock';
import { AlarmShape, PRIORITY_WORD } from '../ui/AlarmMark';
import { timeOfDay } from '../ui/format';
import { marks, type Range } from './trends.state';

export const AlertTrack: Component<{ alerts: Alert[]; range: Range }> = (props) => {
  const shown = createMemo(() => marks(props.alerts, props.range, serverNow()));
  return (
    <Show when={shown().length}>
      <div class="alert-track">
        <span class="track-title">Alerts</span>
        <ul>
          <For each={shown()}>
            {(m) => (
              <li style={{ left: `${m.left}%`, width: `${m.width}%` }} class={m.alert.priority} classList={{ late: m.left > 97 }}>
                <a href={`/alerts/${encodeURIComponent(m.alert.episode)}`} title={`${m.alert.title}, ${timeOfDay(m.alert.raised_ms)}`}>
                  <AlarmShape priority={m.alert.priority} />
                  <span class="sr-only">{PRIORITY_WORD[m.alert.priority]}: {m.alert.title}, {timeOfDay(m.alert.raised_ms)}</span>
                </a>
              </li>
            )}
          </For>
        </ul>
      </div>
    </Show>
  );
};
