// The figures of a stretch of time beside the time before it: on the page, and in a report.
import { For, Show, type Component } from 'solid-js';
import type { Figures } from './burden.api';
import { headline } from './burden.state';
import { FloodsCard } from './FloodsCard';
import { HandlingCard } from './HandlingCard';
import { HeatMap } from './HeatMap';
import { LimitChanges } from './LimitChanges';
import { ParetoCard } from './ParetoCard';

export const FiguresView: Component<{ now: Figures; before: Figures; from: number; to: number; cut: boolean }> = (props) => (
  <>
    <Show when={props.cut}><p class="error">There were more alerts than are looked at in one answer: the figures are of the newest. Ask for a shorter time.</p></Show>
    <dl class="burden-tiles">
      <For each={headline(props.now, props.before)}>
        {(tile) => (
          <div class="card burden-tile">
            <dt>{tile.title}</dt>
            <dd><b>{tile.value}</b> <Show when={tile.change}><span class="small">{tile.change}<span class="sr-only"> against the time before</span></span></Show></dd>
            <dd class="small muted">{tile.note}</dd>
          </div>
        )}
      </For>
    </dl>
    <HeatMap hours={props.now.hours} />
    <FloodsCard figures={props.now} from={props.from} to={props.to} />
    <div class="burden-columns">
      <ParetoCard title="Rules, limits and device alarms" pareto={props.now.rules} />
      <ParetoCard title="Beds" pareto={props.now.beds} days />
      <ParetoCard title="Devices" pareto={props.now.devices} devices />
      <ParetoCard title="Units" pareto={props.now.units} days />
    </div>
    <LimitChanges limits={props.now.limits} />
    <HandlingCard figures={props.now} />
  </>
);
