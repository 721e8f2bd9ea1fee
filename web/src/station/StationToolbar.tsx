// Unit, beds, waveforms, density, speed and pages of the central station.
import { For, Show, type Component } from 'solid-js';
import { plural } from '../ui/format';
import { CHOICES, DENSITIES, pagesOf, SPEEDS, type Choice, type StationView } from './station.state';

interface StationToolbarProps {
  view: StationView;
  units: string[];
  count: number;
  /** Beds of the unit that are not shown. */
  without: number;
  onChange: (patch: Partial<StationView>) => void;
  onBeds: () => void;
}

export const StationToolbar: Component<StationToolbarProps> = (props) => {
  const pages = () => pagesOf(props.count, props.view.density);
  const at = () => Math.min(props.view.page, pages() - 1);
  return (
    <div class="ward-bar station-bar">
      <h1>Waveforms</h1>
      <Show when={pages() > 1}>
        <div class="pager" role="group" aria-label="Pages of beds">
          <button type="button" class="btn small" disabled={at() === 0} onClick={() => props.onChange({ page: at() - 1 })} aria-label="Previous page of beds">‹</button>
          <span>Page {at() + 1} of {pages()}</span>
          <button type="button" class="btn small" disabled={at() === pages() - 1} onClick={() => props.onChange({ page: at() + 1 })} aria-label="Next page of beds">›</button>
        </div>
      </Show>
      <Show when={props.without > 0}><span class="small muted">{plural(props.without, 'bed')} {props.view.beds.length ? 'not chosen' : 'without waveforms'}</span></Show>
      <span class="grow" />
      <Show when={props.units.length > 1}>
        <Pick label="Unit" value={props.view.unit} options={[['', 'All units'], ...props.units.map((u): [string, string] => [u, u])]} onPick={(unit) => props.onChange({ unit, beds: [], page: 0 })} />
      </Show>
      <button type="button" class="btn small" onClick={() => props.onBeds()}>Beds<Show when={props.view.beds.length}> ({props.view.beds.length})</Show></button>
      <Pick label="First waveform" value={props.view.first} options={CHOICES} onPick={(c) => props.onChange({ first: c as Choice })} />
      <Pick label="Second waveform" value={props.view.second} options={CHOICES} onPick={(c) => props.onChange({ second: c as Choice })} />
      <div class="segments small" role="group" aria-label="Beds on a page">
        <For each={DENSITIES}>{(n) => <button type="button" aria-pressed={props.view.density === n} onClick={() => props.onChange({ density: n, page: 0 })}>{n}</button>}</For>
      </div>
      <div class="segments small" role="group" aria-label="Sweep speed in mm/s">
        <For each={SPEEDS}>{(n) => <button type="button" aria-pressed={props.view.speed === n} onClick={() => props.onChange({ speed: n })}>{n}</button>}</For>
        <span class="segments-unit">mm/s</span>
      </div>
    </div>
  );
};

const Pick: Component<{ label: string; value: string; options: [string, string][]; onPick: (value: string) => void }> = (props) => (
  <select class="input small" aria-label={props.label} title={props.label} value={props.value} onChange={(e) => props.onPick(e.currentTarget.value)}>
    <For each={props.options}>{([value, word]) => <option value={value} selected={value === props.value}>{word}</option>}</For>
  </select>
);
