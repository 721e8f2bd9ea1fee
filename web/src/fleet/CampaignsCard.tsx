// Update campaigns: progress, pause, rollback; and a new one.
import { createResource, createSignal, For, Show, type Component } from 'solid-js';
import { may } from '../session/session';
import { repeat } from '../ui/repeat';
import { attempt } from '../ui/toast';
import { fleet, type CampaignAction, type CampaignView } from './fleet.api';
import { actions, bar, STATE_MEANS, STATE_WORD, STEP_WORD, steps } from './fleet.state';
import { NewCampaignDialog } from './NewCampaignDialog';
import { WhyDialog } from './WhyDialog';

const WORD: Record<CampaignAction, string> = { resume: 'Go on', pause: 'Pause', rollback: 'Roll back' };

export const CampaignsCard: Component = () => {
  const [campaigns, { refetch }] = createResource(fleet.campaigns);
  const [adding, setAdding] = createSignal(false);
  const [asked, setAsked] = createSignal<{ campaign: CampaignView; action: CampaignAction }>();
  repeat(refetch, 10_000);
  const act = async (number: number, action: CampaignAction, why: string) => {
    if (await attempt(() => fleet.act(number, action, why).then(() => true))) setAsked(undefined);
    void refetch();
  };
  const press = (campaign: CampaignView, action: CampaignAction) => (action === 'resume' ? void act(campaign.number, action, '') : setAsked({ campaign, action }));
  const list = () => (campaigns.error ? [] : campaigns.latest ?? []);
  return (
    <section class="card" aria-label="Updates">
      <Show when={may('manage-firmware')}><div class="row fleet-tools"><button type="button" class="btn" onClick={() => setAdding(true)}>New campaign…</button></div></Show>
      <Show when={campaigns.error as Error | undefined}>{(error) => <p class="error" role="alert">{error().message}</p>}</Show>
      <ul class="fleet-list">
        <For each={list().map((c) => c.number)} fallback={<li class="empty">{campaigns.loading ? 'Loading…' : 'No campaign yet.'}</li>}>
          {(number) => <Show when={list().find((c) => c.number === number)}>{(campaign) => <Line campaign={campaign()} press={press} />}</Show>}
        </For>
      </ul>
      <Show when={adding()}><NewCampaignDialog onClose={() => setAdding(false)} onDone={() => { setAdding(false); void refetch(); }} /></Show>
      <Show when={asked()}>{(a) => <WhyDialog title={`${WORD[a().action]} ${a().campaign.name}`} action={WORD[a().action]} onClose={() => setAsked(undefined)} onSay={(why) => void act(a().campaign.number, a().action, why)} />}</Show>
    </section>
  );
};

const Line: Component<{ campaign: CampaignView; press: (campaign: CampaignView, action: CampaignAction) => void }> = (props) => {
  const c = () => props.campaign;
  return (
    <li>
      <p><b>{c().name}</b> <span class="muted">{c().manufacturer} {c().model} to {c().version}</span> <span class={`chip campaign ${c().state}`}>{STATE_WORD[c().state] ?? c().state}</span></p>
      <div class="campaign-bar" role="img" aria-label={`Progress of ${c().name}: ${steps(c())}`}>
        <For each={bar(c())}>{([step, share]) => <span class={step} style={{ 'flex-grow': share }} title={`${c().steps[step]} ${STEP_WORD[step] ?? step}`} />}</For>
      </div>
      <p class="small">{c().rings > 1 ? `Ring ${c().ring} of ${c().rings}: ` : ''}{steps(c())}</p>
      <p class="small muted">{c().why || STATE_MEANS[c().state]}</p>
      <Members number={c().number} name={c().name} news={c().steps} />
      <Show when={may('manage-firmware')}>
        <div class="row">
          <For each={actions(c())}>{(action) => <button type="button" class="btn small" onClick={() => props.press(c(), action)}>{action === 'resume' && c().state === 'draft' ? 'Begin' : WORD[action]}<span class="sr-only"> {c().name}</span></button>}</For>
        </div>
      </Show>
    </li>
  );
};

/** The devices of a campaign, asked for when they are wanted and whenever one of them got on. */
const Members: Component<{ number: number; name: string; news: Record<string, number> }> = (props) => {
  const [open, setOpen] = createSignal(false);
  const [detail] = createResource(() => (open() ? `${props.number} ${JSON.stringify(props.news)}` : undefined), () => fleet.campaign(props.number));
  return (
    <details onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary class="small">Devices<span class="sr-only"> of {props.name}</span></summary>
      <ul class="small campaign-members">
        <For each={detail.latest?.members ?? []} fallback={<li class="muted">{detail.loading ? 'Loading…' : 'None.'}</li>}>{(m) => <li><span class="mono">{m.device}</span> <b>{STEP_WORD[m.step] ?? m.step}</b> <span class="muted">ring {m.ring}{m.note ? `, ${m.note}` : ''}</span></li>}</For>
      </ul>
    </details>
  );
};
