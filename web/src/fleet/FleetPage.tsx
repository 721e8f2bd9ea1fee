// Devices as things: what there is, how old its firmware is, what is known against it, how it is updated.
import { createSignal, For, Match, Switch, type Component } from 'solid-js';
import { may } from '../session/session';
import { CampaignsCard } from './CampaignsCard';
import { EdgesCard } from './EdgesCard';
import { FindingsCard } from './FindingsCard';
import { InventoryCard } from './InventoryCard';
import { VulnerabilitiesCard } from './VulnerabilitiesCard';
import './fleet.css';

const PARTS = [
  { name: 'inventory', title: 'Inventory' }, { name: 'campaigns', title: 'Updates' }, { name: 'edges', title: 'Edges' },
  { name: 'vulnerabilities', title: 'Vulnerabilities', security: true }, { name: 'habits', title: 'Broken habits', security: true },
] as const;

const FleetPage: Component<{ params: Record<string, string> }> = () => {
  const [part, setPart] = createSignal<string>('inventory');
  return (
    <div class="page fleet-page">
      <div class="page-head">
        <h1>Fleet</h1>
        <span class="grow" />
        <div class="segmented" role="group" aria-label="Part of the fleet">
          <For each={PARTS.filter((p) => !('security' in p) || may('see-security'))}>
            {(p) => <button type="button" class="btn small" aria-pressed={part() === p.name} onClick={() => setPart(p.name)}>{p.title}</button>}
          </For>
        </div>
      </div>
      <Switch>
        <Match when={part() === 'inventory'}><InventoryCard /></Match>
        <Match when={part() === 'campaigns'}><CampaignsCard /></Match>
        <Match when={part() === 'edges'}><EdgesCard /></Match>
        <Match when={part() === 'vulnerabilities'}><VulnerabilitiesCard /></Match>
        <Match when={part() === 'habits'}><FindingsCard /></Match>
      </Switch>
    </div>
  );
};
export default FleetPage;
