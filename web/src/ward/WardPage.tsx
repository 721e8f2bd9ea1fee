// The ward: every bed at a glance.
import { createMemo, createSignal, For, Show, untrack, type Component } from 'solid-js';
import { nowCoarseMs, nowMs } from '../live/clock';
import { isLive, ward } from '../live/store';
import type { Tile } from '../api/types';
import { plural } from '../ui/format';
import { WardToolbar } from './WardToolbar';
import { WardTile } from './WardTile';
import { arrange, matches, neighbour, type Sort, type WardFilter } from './ward.state';
import './ward.css';
import './tile.css';

const KEY = 'vw-ward';
/** Up to so many patients the tiles are large and say what the alarm is; beyond, all must fit. */
const ROOMY_UP_TO = 30;
function remembered(): WardFilter {
  const [unit = '', sort = 'bed'] = (localStorage.getItem(KEY) ?? '').split('|');
  return { unit, sort: sort as Sort, search: '' };
}

export const WardPage: Component = () => {
  const [filter, setFilter] = createSignal<WardFilter>(remembered());
  const [focused, setFocused] = createSignal('');
  const change = (patch: Partial<WardFilter>) => {
    const next = { ...filter(), ...patch };
    localStorage.setItem(KEY, `${next.unit}|${next.sort}`);
    setFilter(next);
  };
  const tiles = createMemo(() => ward.order.map((id) => ward.tiles[id]).filter((t): t is Tile => !!t));
  // By concern the order follows alarms at once and scores every ten seconds: tiles that jump can't be read.
  const shown = createMemo(() => {
    const f = filter();
    if (f.sort === 'concern') {
      nowCoarseMs();
      tiles().forEach((t) => [t.alarm.priority, t.alarm.sounding]);
    }
    tiles().forEach((t) => [t.location?.name, t.location?.unit]);
    return untrack(() => arrange([...tiles()], f).map((t) => t.patient.id));
  });
  const tabStop = () => (shown().includes(focused()) ? focused() : shown()[0]);

  const onKeyDown = (event: KeyboardEvent) => {
    const links = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('a.tile')];
    const at = links.indexOf(document.activeElement as HTMLElement);
    if (at < 0) return;
    const top = links[0]?.getBoundingClientRect().top;
    const columns = links.filter((l) => l.getBoundingClientRect().top === top).length;
    const to = neighbour(at, event.key, columns, links.length);
    if (to === null) return;
    event.preventDefault();
    links[to]?.focus();
  };

  return (
    <div class="ward" classList={{ 'not-live': !isLive() }}>
      <WardToolbar filter={filter()} units={ward.units} tiles={tiles()} onChange={change} />
      <Show when={ward.loaded} fallback={<p class="empty" role="status">Waiting for the ward…</p>}>
        <Show when={shown().length} fallback={<Nobody filtered={tiles().length > 0 && !tiles().some((t) => matches(t, filter()))} />}>
          <ul class="tiles" classList={{ roomy: shown().length <= ROOMY_UP_TO }} data-beat={isLive() ? Math.floor(nowMs() / 1_000) % 2 : 0} onKeyDown={onKeyDown} aria-label={plural(shown().length, 'patient')}>
            <For each={shown()}>
              {(id) => (
                <li>
                  <Show when={ward.tiles[id]}>{(tile) => <WardTile tile={tile()} tabIndex={tabStop() === id ? 0 : -1} onFocus={() => setFocused(id)} />}</Show>
                </li>
              )}
            </For>
          </ul>
        </Show>
      </Show>
    </div>
  );
};

const Nobody: Component<{ filtered: boolean }> = (props) => (
  <p class="empty">{props.filtered ? 'No patient fits the filter.' : 'No patient is on the ward yet. A device that speaks appears under Devices; put it on a patient there.'}</p>
);
