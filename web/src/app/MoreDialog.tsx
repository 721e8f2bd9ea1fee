// What has no room in the header of a phone: every page, the account, leaving.
import { For, Show, type Component } from 'solid-js';
import { currentSession, logOut, may } from '../session/session';
import { Dialog } from '../ui/Dialog';
import { currentPath } from './router';
import { ROLE_WORD } from '../privacy/words';
import type { Route } from './routes';

export const MoreDialog: Component<{ pages: Route[]; badge: (path: string) => unknown; onClose: () => void }> = (props) => {
  const session = () => currentSession() || null;
  const entry = (path: string, word: string) => (
    <li><a href={path} aria-current={currentPath() === path ? 'page' : undefined} onClick={() => props.onClose()}>{word} {props.badge(path) as Node}</a></li>
  );
  return (
    <Dialog title="Pages" onClose={props.onClose}>
      <ul class="more-pages">
        <For each={props.pages}>{(route) => entry(route.path, route.nav ?? route.title)}</For>
        <Show when={may('use-break-glass') && !session()?.open}>{entry('/emergency', 'Emergency access')}</Show>
        <Show when={session() && !session()?.open}>{entry('/account', 'Your account')}</Show>
      </ul>
      <Show when={session()}>
        {(s) => (
          <div class="row">
            <span class="muted grow">{s().open ? 'Open trial, without accounts' : `${s().name}, ${ROLE_WORD[s().role] ?? s().role}`}</span>
            <Show when={!s().open}><button type="button" class="btn" onClick={() => void logOut()}>Log out</button></Show>
          </div>
        )}
      </Show>
    </Dialog>
  );
};
