// Floods on a line of time and as a list; what chatters; what stands.
import { For, Show, type Component } from 'solid-js';
import { may } from '../session/session';
import { dateTime, hourMinute, plural } from '../ui/format';
import type { Figures, Flood } from './burden.api';

const Episodes: Component<{ names: string[] }> = (props) => (
  <Show when={may('see-patients')}><span class="small"><For each={props.names.slice(0, 3)}>{(name, at) => <a href={`/alerts/${name}`}>{at() ? ` ${at() + 1}` : 'alerts 1'}</a>}</For></span></Show>
);

const where = (flood: Flood) => [flood.unit || 'no unit', flood.bed].filter(Boolean).join(' ');

export const FloodsCard: Component<{ figures: Figures; from: number; to: number }> = (props) => {
  const place = (ms: number) => Math.min(996, ((ms - props.from) / Math.max(1, props.to - props.from)) * 1000);
  return (
    <section class="card" aria-labelledby="flood-title">
      <header><h2 id="flood-title">Floods, chattering and standing alarms</h2></header>
      <div class="body stack">
        <p class="muted small">A flood: ten alerts or more in ten minutes at one bed or in one unit, until fewer than five come in ten minutes (ISA-18.2, EEMUA 191). Chattering: three of a kind within a minute, or five in an hour that end by themselves within 30 s.</p>
        <Show when={props.figures.floods.length}>
          <svg class="flood-line" viewBox="0 0 1000 40" preserveAspectRatio="none" role="img" aria-label={`${plural(props.figures.floods.length, 'flood')} on a line of time`}>
            <path class="axis" d="M0 36H1000" />
            <For each={props.figures.floods}>
              {(flood) => <rect x={place(flood.from_ms)} y={flood.bed ? 20 : 4} width={Math.max(3, place(flood.to_ms) - place(flood.from_ms))} height={14} />}
            </For>
          </svg>
        </Show>
        <ul class="burden-list" aria-label="Floods">
          <For each={props.figures.floods} fallback={<li class="muted">No flood.</li>}>
            {(flood) => <li><b>{where(flood)}</b> {dateTime(flood.from_ms)} to {hourMinute(flood.to_ms)}: {plural(flood.alerts, 'alert')}, {flood.most} in ten minutes, mostly {flood.mostly || 'one bed'} ({flood.mostly_count}) <Episodes names={flood.episodes} /></li>}
          </For>
        </ul>
        <h3>Chattering</h3>
        <ul class="burden-list" aria-label="Chattering">
          <For each={props.figures.chatter} fallback={<li class="muted">Nothing chatters.</li>}>
            {(one) => (
              <li><b>{one.rule}</b> at {[one.unit, one.bed].filter(Boolean).join(' ') || 'a place not known'}<Show when={one.device}>, <span class="mono">{one.device}</span></Show>: {plural(one.alerts, 'alert')}, {one.most} within a minute, {one.fleeting} ended by themselves <Episodes names={one.episodes} /></li>
            )}
          </For>
        </ul>
        <h3>Standing for a day or longer</h3>
        <ul class="burden-list" aria-label="Standing">
          <For each={props.figures.standing} fallback={<li class="muted">Nothing stands.</li>}>
            {(one) => <li><b>{one.rule}</b> at {[one.unit, one.bed].filter(Boolean).join(' ') || 'a place not known'}: {one.hours.toFixed(0)} h{one.open ? ', still there' : ''} <Episodes names={[one.episode]} /></li>}
          </For>
        </ul>
      </div>
    </section>
  );
};
