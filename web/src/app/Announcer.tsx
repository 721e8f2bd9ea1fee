// Tells screen readers of new alerts, once each, the most urgent assertively.
import { createSignal, onCleanup, type Component } from 'solid-js';
import { onLiveEvent } from '../live/store';
import { PRIORITY_WORD } from '../ui/AlarmMark';

export const Announcer: Component = () => {
  const [text, setText] = createSignal('');
  const told = new Map<string, string>();
  const stop = onLiveEvent((event) => {
    if (event.type !== 'alert' || event.state !== 'raised' || told.get(event.episode) === event.priority) return;
    told.set(event.episode, event.priority);
    setText(`${PRIORITY_WORD[event.priority]} priority, ${event.location?.name ?? ''}: ${event.title}`);
  });
  onCleanup(stop);
  return <p class="sr-only" role="alert">{text()}</p>;
};
