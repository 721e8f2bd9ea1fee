// The head of a tile: bed, alarm by colour, shape and word, and whether somebody has taken it.
import { Show, type Component } from 'solid-js';
import type { Tile } from '../api/types';
import { ward } from '../live/store';
import { AlarmShape, PRIORITY_WORD } from '../ui/AlarmMark';

const MARKS: Record<string, string> = { high: '!!!', medium: '!!', low: '!' };

const TAKEN: Record<string, string> = { acknowledged: '✓ Ack', snoozed: 'Snoozed', latched: 'Latched' };

export const AlarmBar: Component<{ tile: Tile }> = (props) => {
  const alarm = () => props.tile.alarm;
  const on = () => alarm().priority !== 'none' && alarm().count > 0;
  const taken = () => {
    const state = ward.alerts[alarm().episode]?.state;
    return state ? (TAKEN[state] ?? '') : alarm().acknowledged ? TAKEN.acknowledged : '';
  };
  return (
    <span class={`alarm-bar ${on() ? alarm().priority : 'none'}`} classList={{ quiet: on() && !alarm().sounding }} title={alarm().title}>
      <span class="bed">{props.tile.location?.name ?? 'No bed'}</span>
      <Show when={on()}>
        <span class="alarm-what">
          <AlarmShape priority={alarm().priority} />
          <span aria-hidden="true">{MARKS[alarm().priority]}</span>
          <span>{PRIORITY_WORD[alarm().priority]}</span>
          <Show when={alarm().count > 1}><span title="Open alerts">×{alarm().count}</span></Show>
          <span class="sr-only">: {alarm().title}</span>
        </span>
        <Show when={taken()}><span class="taken">{taken()}</span></Show>
        <span class="alarm-title" aria-hidden="true">{alarm().title}</span>
      </Show>
    </span>
  );
};
