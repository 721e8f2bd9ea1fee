// What a page asks for again and again by itself. A page that nobody sees asks nothing: each question is in the audit log.
import { onCleanup } from 'solid-js';

/** Runs `ask` every `ms` while the page is seen, and once more when it is seen again; ends with the component. */
export function repeat(ask: () => unknown, ms: number): void {
  const seen = () => { if (!document.hidden) void ask(); };
  const timer = window.setInterval(seen, ms);
  document.addEventListener('visibilitychange', seen);
  onCleanup(() => { window.clearInterval(timer); document.removeEventListener('visibilitychange', seen); });
}
