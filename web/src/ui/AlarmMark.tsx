// An alarm priority by colour, shape and word (IEC 60601-1-8: high red, medium yellow, low cyan).
import { Show, type Component } from 'solid-js';

export type Priority = 'high' | 'medium' | 'low' | 'none';
export const PRIORITY_RANK: Record<string, number> = { high: 3, medium: 2, low: 1, none: 0 };
export const PRIORITY_WORD: Record<string, string> = { high: 'High', medium: 'Medium', low: 'Low', none: 'None' };
const MARKS: Record<string, string> = { high: '!!!', medium: '!!', low: '!' };
const SHAPES: Record<string, string> = { high: 'M8 1 15.4 14.5H.6Z', medium: 'M8 .8 15.2 8 8 15.2.8 8Z', low: 'M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13Z' };

/** The shape alone, for places that say the word themselves. */
export const AlarmShape: Component<{ priority: string }> = (props) => (
  <Show when={SHAPES[props.priority]}>
    <svg class={`alarm-shape ${props.priority}`} viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
      <path d={SHAPES[props.priority]} />
    </svg>
  </Show>
);

/** `▲ !!! High` */
export const AlarmMark: Component<{ priority: string; quiet?: boolean; word?: boolean }> = (props) => (
  <span class={`alarm-mark ${props.priority}`} classList={{ quiet: props.quiet }}>
    <AlarmShape priority={props.priority} />
    <span aria-hidden="true">{MARKS[props.priority]}</span>
    <span classList={{ 'sr-only': props.word === false }}>{PRIORITY_WORD[props.priority] ?? props.priority}</span>
  </span>
);
