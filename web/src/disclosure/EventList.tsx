// What happened in the hour, and what its marks mean.
import { For, Show, type Component } from 'solid-js';
import { AlarmShape, PRIORITY_WORD } from '../ui/AlarmMark';
import { timeOfDay } from '../ui/format';
import { BEATS } from '../waves/channels';
import type { Event } from './disclosure.state';

export const EventList: Component<{ events: Event[]; strip: (ms: number) => string }> = (props) => (
  <section class="card" aria-labelledby="hour-events">
    <header><h2 id="hour-events">Events</h2><span class="muted">{props.events.length}</span></header>
    <ol class="hour-events">
      <For each={props.events} fallback={<li class="muted">No alert and no rhythm other than regular in this hour.</li>}>
        {(e) => (
          <li>
            <a href={props.strip(e.ms)}>
              <span class="event-time">{timeOfDay(e.ms)}</span>
              <Show when={e.kind === 'alert'} fallback={<span class={`event-rhythm ${e.priority}`} aria-hidden="true" />}><AlarmShape priority={e.priority} /></Show>
              <span>{e.word}<span class="sr-only"> {e.kind}, {PRIORITY_WORD[e.priority]}</span><Show when={e.toMs !== null && e.kind === 'rhythm'}><span class="muted small"> {Math.max(1, Math.round((e.toMs! - e.ms) / 1_000))} s</span></Show></span>
            </a>
          </li>
        )}
      </For>
    </ol>
  </section>
);

const SHAPES: Record<string, string> = { down: 'M2 3H12L7 11Z', up: 'M2 11H12L7 3Z', square: 'M3 3H11V11H3Z', diamond: 'M7 2 12 7 7 12 2 7Z', none: 'M6.5 2V12H7.5V2Z', ring: 'M7 3a4 4 0 1 0 .01 0M7 5a2 2 0 1 1-.01 0' };

export const Legend: Component<{ counts: Map<string, number> }> = (props) => (
  <section class="card" aria-labelledby="hour-beats">
    <header><h2 id="hour-beats">Beats</h2><span class="muted">{[...props.counts.values()].reduce((a, b) => a + b, 0).toLocaleString('en-GB')}</span></header>
    <ul class="legend">
      <For each={Object.entries(BEATS)}>
        {([letter, beat]) => (
          <li classList={{ none: !props.counts.get(letter) }}>
            <svg viewBox="0 0 14 14" width="14" height="14" aria-hidden="true"><path d={SHAPES[beat.shape]} fill={`var(${beat.colour})`} /></svg>
            <b>{letter}</b> <span>{beat.word}</span> <span class="legend-count">{(props.counts.get(letter) ?? 0).toLocaleString('en-GB')}</span>
          </li>
        )}
      </For>
    </ul>
  </section>
);
