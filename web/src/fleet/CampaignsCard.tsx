// Update campaigns: progress, pause, rollback; and a new one.
import { createResource, createSignal, For, onCleanup, Show, type Component } from 'solid-js';
import { may } from '../session/session';
import { attempt } from '../ui/toast';
import { fleet, type CampaignAction, type CampaignView } from './fleet.api';
import { actions, progress, STATE_WORD, STEP_WORD, steps } from './fleet.state';
import { NewCampaignDialog } from './NewCampaignDialog';
import { WhyDialog } from './WhyDialog';

const WORD: Record<CampaignAction, string> = { resume: 'Go on', pause: 'Pause', rollback: 'Roll back' };

export const CampaignsCard: Component = () => {
  const [campaigns, { refetch }] = createResource(fleet.campaigns);
  const [adding, setAdding] = createSignal(false);
  const [asked, setAsked] = createSignal<{ campaign: CampaignView; action: CampaignAction }>();
  const timer = window.setInterval(() => void refetch(), 3_000);
  onCleanup(() => window.clearInterval(timer));
  const act = async (number: number, action: CampaignAction, why: string) => {
    if (await attempt(() => fleet.act(number, action, why).then(() => true))) setAsked(undefined);
    void refetch();
  };
  const press = (campaign: CampaignView, action: CampaignAction) => (action === 'resume' ? void act(campaign.number, action, '') : setAsked({ campaign, action }));
  return (
    <section class="card" aria-label="Updates">
      <Show when={may('manage-firmware')}><div class="row fleet-tools"><button type="button" class="btn" onClick={() => setAdding(true)}>New campaign…</button></div></Show>
      <Show when={campaigns.error as Error | undefined}>{(error) => <p class="error" role="alert">{error().message}</p>}</Show>
      <ul class="fleet-list">
        <For each={campaigns.latest ?? []} fallback={<li class="empty">{campaigns.loading ? 'Loading…' : 'No campaign yet.'}</li>}>
          {(c) => (
            <li>
              <p><b>{c.name}</b> <span class="muted">{c.manufacturer} {c.model} {c.version}</span> <span class={`chip campaign ${c.state}`}>{STATE_WORD[c.state] ?? c.state}</span></p>
              <p class="row small"><progress max="100" value={progress(c)} aria-label={`Progress of ${c.name}`} /> Ring {c.ring} of {c.rings}: {steps(c)}</p>
              <Show when={c.why}><p class="small">{c.why}</p></Show>
              <Members number={c.number} name={c.name} />
              <Show when={may('manage-firmware')}>
                <div class="row">
                  <For each={actions(c)}>{(action) => <button type="button" class="btn small" onClick={() => press(c, action)}>{action === 'resume' && c.state === 'draft' ? 'Begin' : WORD[action]}<span class="sr-only"> {c.name}</span></button>}</For>
                </div>
              </Show>
            </li>
          )}
        </For>
      </ul>
      <Show when={adding()}><NewCampaignDialog onClose={() => setAdding(false)} onDone={() => { setAdding(false); void refetch(); }} /></Show>
      <Show when={asked()}>{(a) => <WhyDialog title={`${WORD[a().action]} ${a().campaign.name}`} action={WORD[a().action]} onClose={() => setAsked(undefined)} onSay={(why) => void act(a().campaign.number, a().action, why)} />}</Show>
    </section>
  );
};

/** The devices of a campaign, asked for when they are wanted. */
const Members: Component<{ number: number; name: string }> = (props) => {
  const [open, setOpen] = createSignal(false);
  const [detail] = createResource(() => (open() ? props.number : undefined), fleet.campaign);
  return (
    <details onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary class="small">Devices<span class="sr-only"> of {props.name}</span></summary>
      <ul class="small">
        <For each={detail.latest?.members ?? []}>{(m) => <li><span class="mono">{m.device}</span>, ring {m.ring}: {STEP_WORD[m.step] ?? m.step}{m.note ? `, ${m.note}` : ''}</li>}</For>
      </ul>
    </details>
  );
};
