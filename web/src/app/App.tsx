// The frame of the program: session, live stream, header, the page, dialogs.
import { createEffect, createMemo, createSignal, lazy, onCleanup, onMount, Show, type Component } from 'solid-js';
import { Dynamic } from 'solid-js/web';
import { notLiveSince, startLive } from '../live/store';
import { nowCoarseMs, startClock } from '../live/clock';
import { LoginPage } from '../session/LoginPage';
import { currentSession, endSession, loadSession, may, sessionFailure } from '../session/session';
import { EmergencyBanner, EmergencyDialog } from '../privacy/EmergencyDialog';
import { startEmergency } from '../privacy/emergency.state';
import { SourcePanel } from '../source/SourcePanel';
import { exactTime } from '../ui/format';
import { Loading } from '../ui/Loading';
import { Toasts } from '../ui/toast';
import { Announcer } from './Announcer';
import { Header, NotLiveBanner } from './Header';
import { HelpDialog } from './HelpDialog';
import { currentPath, go, match, startRouter } from './router';
import { listed, open, ROUTES, type Route } from './routes';
import { useShortcuts } from './shortcuts';
import { useAlarmSound } from './sound';

/** An application's question stands by itself: nothing of the ward is around it. */
const AuthorizePage = lazy(() => import('../authorize/AuthorizePage'));

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
  // Who may not see patients has no live picture: nothing is opened, nothing is called live.
  const follows = may('see-patients');
  if (follows) onCleanup(startLive(endSession));
  if (!follows && currentPath() === '/') go(ROUTES.find((r) => listed(r, may))?.path ?? '/account', true);
  onCleanup(startClock());
  onCleanup(startEmergency());
  useAlarmSound();
  useShortcuts([
    { keys: '?', does: 'Help', run: () => setHelp(true) },
    ...ROUTES.filter((r) => r.key && open(r, may)).map((r) => ({ keys: `g ${r.key}`, does: r.title, run: () => go(r.path) })),
    { keys: '/', does: 'Search', run: () => document.querySelector<HTMLInputElement>('main input[type=search]')?.focus() },
  ]);
  createEffect(() => { document.title = `${found()?.route.title ?? 'Not found'} · Vitalwire`; });
  return (
    <>
      <a class="skip" href="#main" onClick={(e) => { e.preventDefault(); document.getElementById('main')?.focus(); }}>To the content</a>
      <Header onHelp={() => setHelp(true)} />
      <Show when={follows}><NotLiveBanner since={notLiveSince()} /></Show>
      <EmergencyBanner />
      <main id="main" tabindex="-1">
        <p class="print-only">Vitalwire: the state of {exactTime(nowCoarseMs())}. What is on paper is not live.</p>
        <Loading what="the page">
          <Show when={found()} keyed fallback={<NotFound />}>
            {(f) => <Show when={open(f.route, may)} fallback={<NotAllowed />}><Dynamic component={f.route.page} params={f.params} /></Show>}
          </Show>
        </Loading>
      </main>
      <Announcer />
      <Toasts />
      <SourcePanel />
      <EmergencyDialog />
      <Show when={help()}><HelpDialog onClose={() => setHelp(false)} /></Show>
    </>
  );
};

const NotAllowed: Component = () => (
  <div class="page"><h1>Not for this role</h1><p class="empty">The account’s role does not include this page. Whoever administers Vitalwire can change the role.</p></div>
);

const NotFound: Component = () => (
  <div class="page"><h1>Not found</h1><p class="empty">There is nothing at this address. <a href="/">To the ward</a></p></div>
);

const Starting: Component = () => (
  <main class="login" id="main">
    <Show when={sessionFailure()} fallback={<p class="empty" role="status">Starting…</p>}>
      {(why) => <div class="card starting" role="alert"><h1>No connection to Vitalwire</h1><p>{why()}</p><p class="muted">Trying again by itself. Until then look at the patients and their monitors.</p></div>}
    </Show>
  </main>
);

export const App: Component = () => {
  onCleanup(startRouter());
  onMount(() => void loadSession());
  const inside = createMemo(() => !!currentSession());
  return (
    <Show when={inside()} fallback={
      <Show when={currentSession() === false} fallback={<Starting />}><LoginPage /></Show>
    }>
      <Show when={currentPath() === '/authorize'} fallback={<Inside />}><Loading what="the question"><AuthorizePage /></Loading></Show>
    </Show>
  );
};
