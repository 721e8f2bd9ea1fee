// Keys. Single-key shortcuts can be turned off in the help dialog (WCAG 2.1.4).
import { createSignal, onCleanup, onMount } from 'solid-js';

const KEY = 'vw-keys';
const [enabled, setEnabled] = createSignal(localStorage.getItem(KEY) !== 'off');
export const keysEnabled = enabled;
export function enableKeys(on: boolean): void {
  localStorage.setItem(KEY, on ? 'on' : 'off');
  setEnabled(on);
}

export interface Shortcut {
  keys: string;
  does: string;
  run: () => void;
}

/** Whether the keys belong to whatever has the focus. */
function typing(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null;
  return !!element?.closest?.('input, textarea, select, [contenteditable]');
}

/** Listens for `keys`, each one key (`?`) or two in a row (`g w`), while the component lives. */
export function useShortcuts(list: Shortcut[]): void {
  let first = '';
  let firstAt = 0;
  const down = (event: KeyboardEvent) => {
    if (!enabled() || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (document.querySelector('dialog[open]')) return;
    const pair = first && event.timeStamp - firstAt < 1_500 ? `${first} ${event.key}` : '';
    const hit = list.find((s) => s.keys === pair) ?? list.find((s) => s.keys === event.key);
    first = event.key;
    firstAt = event.timeStamp;
    if (!hit) return;
    first = '';
    event.preventDefault();
    hit.run();
  };
  onMount(() => document.addEventListener('keydown', down));
  onCleanup(() => document.removeEventListener('keydown', down));
}
