// The frame of the program: session, live stream, header, the page, dialogs.
import { createEffect, createMemo, createSignal, onCleanup, onMount, Show, type Component } from 'solid-js';
import { Dynamic } from 'solid-js/web';
import { notLiveSince, startLive } from '../live/store';
import { startClock } from '../live/clock';
import { LoginPage } from '../session/LoginPage';
import { currentSession, endSession, loadSession, sessionFailure } from '../session/session';
import { SourcePanel } from '../source/SourcePanel';
import { Loading } from '../ui/Loading';
import { Toasts } from '../ui/toast';
import { Announcer } from './Announcer';
import { Header, NotLiveBanner } from './Header';
import { HelpDialog } from './HelpDialog';
import { currentPath, go, match, startRouter } from './router';
import { ROUTES, type Route } from './routes';
import { useShortcuts } from './shortcuts';
import { useAlarmSound } from './sound';

interface Found { route: Route; params: Record<string, string> }

function find(path: string): Found | undefined {
  for (const route of ROUTES) {
    const params = match(route.path, path);
    if (params) return { route, params };
  }
  return undefined;
}

const Inside: Component = () => {
  const [help, setHelp] = createSignal(false);
  const found = createMemo(() => find(currentPath()), undefined, { equals: (a, b) => JSON.stringify(a) === JSON.stringify(b) });
  onCleanup(startLive(endSession));
  onCleanup(startClock());
  useAlarmSound();
  useShortcuts([
    { keys: '?', does: 'Help', run: () => setHelp(true) },
    ...ROUTES.filter((r) => r.key).map((r) => ({ keys: `g ${r.key}`, does: r.title, run: () => go(r.path) })),
    { keys: '/', does: 'Search', run: () => document.querySelector<HTMLInputElement>('main input[type=search]')?.focus() },
  ]);
  createEffect(() => { document.title = `${found()?.route.title ?? 'Not found'} · Vitalwire`; });
  return (
    <>
      <a class="skip" href="#main" onClick={(e) => { e.preventDefault(); document.getElementById('main')?.focus(); }}>To the content</a>
      <Header onHelp={() => setHelp(true)} />
      <NotLiveBanner since={notLiveSince()} />
      <main id="main" tabindex="-1">
        <Loading what="the page">
          <Show when={found()} keyed fallback={<NotFound />}>
            {(f) => <Dynamic component={f.route.page} params={f.params} />}
          </Show>
        </Loading>
      </main>
      <Announcer />
      <Toasts />
      <SourcePanel />
      <Show when={help()}><HelpDialog onClose={() => setHelp(false)} /></Show>
    </>
  );
};

const NotFound: Component = () => (
  <div class="page"><h1>Not found</h1><p class="empty">There is nothing at this address. <a href="/">To the ward</a></p></div>
);

export const App: Component = () => {
  onCleanup(startRouter());
  onMount(() => void loadSession());
  const inside = createMemo(() => !!currentSession());
  return (
    <Show when={inside()} fallback={
      <Show when={currentSession() === false} fallback={<p class="empty" role="status">{sessionFailure() || 'Starting…'}</p>}><LoginPage /></Show>
    }>
      <Inside />
    </Show>
  );
};
