// On every page, for whoever may see security: how many events nobody has looked at.
import { createSignal, Show, type Component } from 'solid-js';
import { repeat } from '../ui/repeat';
import { trust } from './trust.state';

const EVERY_MS = 20_000;
const [open, setOpen] = createSignal(0);

/** Security events that nobody has looked at. */
export const openEvents = open;

/** Asks now and then while the component lives. */
export function watchSecurity(): void {
  const look = () => trust.open().then((found) => setOpen(found.open), () => undefined);
  void look();
  repeat(look, EVERY_MS);
}

export const SecurityBadge: Component = () => (
  <Show when={open()}>
    <span class="nav-badge high">{open()}<span class="sr-only"> security events not looked at</span></span>
  </Show>
);
