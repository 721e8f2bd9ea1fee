// Addresses without a hash, on the History API. The list of routes is in `routes.tsx`.
import { createSignal } from 'solid-js';

interface Place { path: string; query: URLSearchParams }

const read = (): Place => ({ path: location.pathname.replace(/\/+$/, '') || '/', query: new URLSearchParams(location.search) });
const [place, setPlace] = createSignal<Place>(read());

/** Where we are. */
export const currentPath = (): string => place().path;
export const currentQuery = (): URLSearchParams => place().query;

/** Goes to `to`; `replace` leaves no step in the history. */
export function go(to: string, replace = false): void {
  if (to === location.pathname + location.search) return;
  history[replace ? 'replaceState' : 'pushState'](null, '', to);
  setPlace(read());
  if (!replace) window.scrollTo(0, 0);
}

/** The parameters of `pattern` (`/patients/:id`) in `path`; null when it does not match. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const want = pattern.split('/'), have = path.split('/');
  if (want.length !== have.length) return null;
  const params: Record<string, string> = {};
  for (const [i, part] of want.entries()) {
    const given = have[i] ?? '';
    if (part.startsWith(':')) params[part.slice(1)] = decodeURIComponent(given);
    else if (part !== given) return null;
  }
  return params;
}

function onClick(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element).closest?.('a[href]') as HTMLAnchorElement | null;
  if (!link || link.target || link.origin !== location.origin || link.hasAttribute('download') || link.hash) return;
  event.preventDefault();
  go(link.pathname + link.search);
}

/** Listens to links and the back button; returns what stops it. */
export function startRouter(): () => void {
  const back = () => setPlace(read());
  document.addEventListener('click', onClick);
  window.addEventListener('popstate', back);
  return () => {
    document.removeEventListener('click', onClick);
    window.removeEventListener('popstate', back);
  };
}
