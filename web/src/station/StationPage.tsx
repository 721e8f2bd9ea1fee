// The central station: the waveforms of many beds, sweeping.
import { createMemo, createSignal, For, onCleanup, onMount, Show, untrack, type Component } from 'solid-js';
import type { Tile } from '../api/types';
import { useShortcuts } from '../app/shortcuts';
import { useTheme } from '../app/theme';
import { nowMs } from '../live/clock';
import { isLive, ward } from '../live/store';
import { plural } from '../ui/format';
import { BedsDialog } from './BedsDialog';
import { BedView } from './BedView';
import { StationToolbar } from './StationToolbar';
import { bedsOf, columnsOf, neighbour, ofUnit, pageOf, pagesOf, remember, rememberedView, type StationView } from './station.state';
import { useStation } from './useStation';
import '../ward/ward.css';
import '../ward/tile.css';
import './station.css';

const StationPage: Component = () => {
  const [view, setView] = createSignal<StationView>(rememberedView());
  const [choosing, setChoosing] = createSignal(false);
  const [focused, setFocused] = createSignal('');
  const [width, setWidth] = createSignal(window.innerWidth);
  const theme = useTheme();
  const change = (patch: Partial<StationView>) => { setView({ ...view(), ...patch }); remember(view()); };
  const same = { equals: (a: string[], b: string[]) => a.join() === b.join() };

  const tiles = createMemo(() => ward.order.map((id) => ward.tiles[id]).filter((t): t is Tile => !!t));
  const all = createMemo(() => {
    const { unit, beds } = view();
    tiles().forEach((t) => [t.location?.name, t.location?.unit, t.waves]);
    return untrack(() => bedsOf([...tiles()], { unit, beds }).map((t) => t.patient.id));
  }, [], same);
  const shown = createMemo(() => pageOf(all(), view().density, view().page), [], same);
  const lanes = createMemo(() => [view().first, view().second] as [StationView['first'], StationView['second']], undefined, { equals: (a, b) => a.join() === b.join() });
  const station = useStation(shown, lanes);
  const columns = () => columnsOf(shown().length, view().density, width());
  const rows = () => Math.ceil(shown().length / columns());
  const tabStop = () => (shown().includes(focused()) ? focused() : shown()[0]);
  const turn = (by: number) => change({ page: Math.min(pagesOf(all().length, view().density) - 1, Math.max(0, view().page + by)) });

  onMount(() => {
    const heard = () => setWidth(window.innerWidth);
    window.addEventListener('resize', heard);
    onCleanup(() => window.removeEventListener('resize', heard));
  });
  useShortcuts([
    { keys: '[', does: 'Previous page of beds', run: () => turn(-1) },
    { keys: ']', does: 'Next page of beds', run: () => turn(1) },
  ]);
  const onKeyDown = (event: KeyboardEvent) => {
    const links = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('a.station-bed')];
    const at = links.indexOf(document.activeElement as HTMLElement);
    const to = at < 0 ? null : neighbour(at, event.key, columns(), links.length);
    if (to === null) return;
    event.preventDefault();
    links[to]?.focus();
  };

  return (
    <div class="ward station" classList={{ 'not-live': !isLive() || !station.live() }}>
      <StationToolbar view={view()} units={ward.units} count={all().length} without={ofUnit([...tiles()], view().unit).length - all().length} onChange={change} onBeds={() => setChoosing(true)} />
      <Show when={ward.loaded} fallback={<p class="empty" role="status">Waiting for the ward…</p>}>
        <Show when={isLive() && !station.live()}><p class="station-lost" role="status">The waveforms are not live; connecting…</p></Show>
        <ul class="tiles beds" classList={{ dense: view().density > 16, large: view().density <= 9 }}
          style={{ 'grid-template-columns': `repeat(${columns()}, minmax(0, 1fr))`, 'grid-template-rows': columns() > 1 ? `repeat(${rows()}, minmax(${view().density > 16 ? 118 : 130}px, 1fr))` : '' }}
          data-beat={isLive() ? Math.floor(nowMs() / 1_000) % 2 : 0} onKeyDown={onKeyDown} aria-label={plural(shown().length, 'bed')}>
          <For each={shown()} fallback={<li class="empty">No patient is on the ward yet. A device that speaks appears under Devices; put it on a patient there.</li>}>
            {(id) => (
              <li>
                <Show when={ward.tiles[id]}>
                  {(tile) => <BedView tile={tile()} bed={station.bed(id)} known={station.known(id)} speed={view().speed} theme={theme()} tabIndex={tabStop() === id ? 0 : -1} onFocus={() => setFocused(id)} />}
                </Show>
              </li>
            )}
          </For>
        </ul>
      </Show>
      <Show when={choosing()}>
        <BedsDialog tiles={ofUnit([...tiles()], view().unit)} chosen={view().beds.length ? view().beds : all()} onClose={() => setChoosing(false)} onChoose={(beds) => change({ beds, page: 0 })} />
      </Show>
    </div>
  );
};
export default StationPage;
