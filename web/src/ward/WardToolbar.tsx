// Counts, unit, order and search of the ward page.
import { createMemo, For, Show, type Component } from 'solid-js';
import type { Tile } from '../api/types';
import { AlarmMark } from '../ui/AlarmMark';
import { plural } from '../ui/format';
import type { WardFilter } from './ward.state';

interface WardToolbarProps {
  filter: WardFilter;
  units: string[];
  tiles: Tile[];
  onChange: (patch: Partial<WardFilter>) => void;
}

export const WardToolbar: Component<WardToolbarProps> = (props) => {
  const counts = createMemo(() => {
    const n: Record<string, number> = {};
    for (const t of props.tiles) n[t.alarm.priority] = (n[t.alarm.priority] ?? 0) + 1;
    return n;
  });
  return (
    <div class="ward-bar">
      <h1>Ward</h1>
      <span class="ward-counts">
        <span>{plural(props.tiles.length, 'patient')}</span>
        <For each={['high', 'medium', 'low']}>
          {(p) => <Show when={counts()[p]}>{(n) => <span class="count"><AlarmMark priority={p} /> {n()}</span>}</Show>}
        </For>
      </span>
      <span class="grow" />
      <Show when={props.units.length > 1}>
        <div class="segments" role="group" aria-label="Unit">
          <button type="button" aria-pressed={props.filter.unit === ''} onClick={() => props.onChange({ unit: '' })}>All</button>
          <For each={props.units}>
            {(unit) => <button type="button" aria-pressed={props.filter.unit === unit} onClick={() => props.onChange({ unit })}>{unit}</button>}
          </For>
        </div>
      </Show>
      <div class="segments" role="group" aria-label="Order">
        <button type="button" aria-pressed={props.filter.sort === 'bed'} onClick={() => props.onChange({ sort: 'bed' })}>By bed</button>
        <button type="button" aria-pressed={props.filter.sort === 'concern'} onClick={() => props.onChange({ sort: 'concern' })}>By concern</button>
      </div>
      <input class="input ward-search" type="search" placeholder="Name, number, bed" aria-label="Search by name, record number or bed" value={props.filter.search} onInput={(e) => props.onChange({ search: e.currentTarget.value })} />
    </div>
  );
};
