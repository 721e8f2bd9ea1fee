// On every page, for whoever may see security: how many events nobody has looked at.
import { createSignal, onCleanup, Show, type Component } from 'solid-js';
import { trust } from './trust.state';

const EVERY_MS = 10_000;

export const SecurityBadge: Component = () => {
  const [open, setOpen] = createSignal(0);
  const look = () => trust.open().then((found) => setOpen(found.open), () => undefined);
  void look();
  const timer = window.setInterval(() => void look(), EVERY_MS);
  onCleanup(() => clearInterval(timer));
  return (
    <Show when={open()}>
      <span class="nav-badge high">{open()}<span class="sr-only"> security events not looked at</span></span>
    </Show>
  );
};
