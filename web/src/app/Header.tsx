// Top of every page: where to go, whether the picture is live, sound, colours, help.
import { createMemo, createSignal, For, Show, type Component } from 'solid-js';
import { isLive, openAlerts, ward } from '../live/store';
import { nowMs } from '../live/clock';
import { currentSession, logOut, may } from '../session/session';
import { AlarmShape, PRIORITY_RANK, PRIORITY_WORD } from '../ui/AlarmMark';
import { timeOfDay } from '../ui/format';
import { currentPath } from './router';
import { listed, ROUTES } from './routes';
import { openEvents, SecurityBadge, watchSecurity } from '../trust/SecurityBadge';
import { MoreDialog } from './MoreDialog';
import { SoundControl } from './SoundControl';
import { chooseTheme, nextTheme, themeChoice } from './theme';

/** Pages with a place of their own in the header of a phone, and of anything narrower than a desk. */
const PHONE_PAGES = 4;
const TABLET_PAGES = 6;
/** Of a role with more pages than a desk screen has room for, these stand in the header. */
const DESK_PAGES = 8;
const DESK_ROOM = 10;
const THEME_WORD = { light: 'Light', dark: 'Dark', system: 'Auto' };

const AlertsBadge: Component = () => {
  const untaken = createMemo(() => openAlerts().filter((a) => a.state === 'raised' || a.state === 'latched'));
  const top = createMemo(() => untaken().reduce((p, a) => ((PRIORITY_RANK[a.priority] ?? 0) > (PRIORITY_RANK[p] ?? 0) ? a.priority : p), 'none'));
  return (
    <Show when={untaken().length}>
      <span class={`nav-badge ${top()}`}>
        <AlarmShape priority={top()} />
        {untaken().length}
        <span class="sr-only"> not taken, highest {PRIORITY_WORD[top()]}</span>
      </span>
    </Show>
  );
};

const QuarantineBadge: Component = () => (
  <Show when={ward.quarantineNew}>
    <span class="nav-badge">{ward.quarantineNew}<span class="sr-only"> new</span></span>
  </Show>
);

const LiveSign: Component = () => (
  <span class="live-sign" classList={{ off: !isLive() }} title={isLive() ? 'Live: the ward is heard now' : 'Not live'}>
    <span class="dot" aria-hidden="true" />
    <span class="live-word">{isLive() ? 'Live' : 'Not live'}</span>
    <span class="live-time">{timeOfDay(nowMs())}</span>
  </span>
);

export const Header: Component<{ onHelp: () => void }> = (props) => {
  const inside = (path: string) => (path === '/' ? currentPath() === '/' || currentPath().startsWith('/patients') : currentPath().startsWith(path));
  const session = () => currentSession() || null;
  const [more, setMore] = createSignal(false);
  const pages = () => ROUTES.filter((r) => listed(r, may) && !(session()?.open && ['/me', '/reviews'].includes(r.path)));
  const crowded = () => pages().length > DESK_ROOM;
  if (may('see-security')) watchSecurity();
  const badge = (path: string) => (path === '/alerts' ? <AlertsBadge /> : path === '/quarantine' ? <QuarantineBadge /> : path === '/trust' ? <SecurityBadge /> : null);
  /** Whether a page without room on this width wants to be looked at. */
  const unseen = () => openEvents() > 0 && pages().findIndex((r) => r.path === '/trust') >= PHONE_PAGES;
  return (
    <header class="top">
      <a class="brand" href="/" aria-label="Vitalwire, ward"><img src="/icon.svg" alt="" width="24" height="24" /><span>Vitalwire</span></a>
      <nav class="nav" aria-label="Main">
        <For each={pages()}>
          {(route, n) => (
            <a href={route.path} classList={{ 'no-phone': n() >= PHONE_PAGES, 'no-tablet': n() >= TABLET_PAGES, 'no-desk': crowded() && n() >= DESK_PAGES }} aria-current={inside(route.path) ? 'page' : undefined}>
              {route.nav}
              {badge(route.path)}
            </a>
          )}
        </For>
        <button type="button" class="more" classList={{ many: pages().length > TABLET_PAGES, crowded: crowded() }} aria-haspopup="dialog" onClick={() => setMore(true)}>
          More<Show when={unseen()}><span class="nav-badge high" aria-hidden="true">!</span><span class="sr-only">, security events not looked at</span></Show>
        </button>
      </nav>
      <Show when={more()}><MoreDialog pages={pages()} badge={badge} onClose={() => setMore(false)} /></Show>
      <div class="top-right">
        <Show when={ward.load?.slowed}><span class="chip slowed" title="More arrives than can be kept; senders are being slowed">Senders slowed</span></Show>
        <Show when={may('see-patients')}><LiveSign /><SoundControl /></Show>
        <Show when={may('use-break-glass') && !session()?.open}><a class="btn quiet small" href="/emergency" title="Open a patient of another unit in an emergency">Emergency</a></Show>
        <button type="button" class="btn quiet small" onClick={() => chooseTheme(nextTheme())} title="Light, dark, or as the system">
          <span class="sr-only">Colours: </span>{THEME_WORD[themeChoice()]}
        </button>
        <button type="button" class="btn quiet small" onClick={() => props.onHelp()} aria-label="Keys and signs">?</button>
        <Show when={session()}>
          {(s) => (
            <span class="who wide-only" title={s().open ? 'Open trial: no authentication' : `Role: ${s().role}`}>
              <Show when={!s().open} fallback="Open trial"><a class="btn quiet small" href="/account" title="Your account">{s().name}</a></Show>
              <Show when={!s().open}><button type="button" class="btn quiet small" onClick={() => void logOut()}>Log out</button></Show>
            </span>
          )}
        </Show>
      </div>
    </header>
  );
};

/** What nobody may overlook: since when the picture is not live (TI-1). */
export const NotLiveBanner: Component<{ since: number | null }> = (props) => (
  <div role="alert">
    <Show when={props.since}>
      {(since) => (
        <p class="not-live-banner">
          <strong>Not live since {timeOfDay(since())}.</strong> Nothing below is the present state; look at the patient and the monitor. Reconnecting…
        </p>
      )}
    </Show>
  </div>
);
