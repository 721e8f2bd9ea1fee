// What the fleet's pages show in words, and which of a campaign's actions its state allows.
import type { CampaignAction, CampaignView } from './fleet.api';

export const VERDICT_WORD: Record<string, string> = { ok: 'Good', below: 'Too old', unknown: 'Unknown' };
export const BREAK_WORD: Record<string, string> = {
  rate: 'Sends far more than usual', kind: 'Sends something new', clock: 'Clock elsewhere', stuck: 'Value stands still',
  jumps: 'Values jump', copy: 'Repeats another device', address: 'Speaks from a new address',
};
export const STATE_WORD: Record<string, string> = {
  draft: 'Draft', running: 'Running', paused: 'Paused', halted: 'Halted', 'rolling-back': 'Rolling back', finished: 'Finished',
};
export const STEP_WORD: Record<string, string> = {
  eligible: 'waiting', offered: 'offered', downloading: 'loading', installed: 'installed', confirmed: 'confirmed', failed: 'failed',
  returning: 'going back', 'rolled-back': 'rolled back',
};

/** The actions that the state of a campaign allows. */
export function actions(campaign: CampaignView): CampaignAction[] {
  switch (campaign.state) {
    case 'draft': return ['resume'];
    case 'running': return ['pause', 'rollback'];
    case 'paused': case 'halted': return ['resume', 'rollback'];
    case 'finished': return (campaign.steps['confirmed'] ?? 0) > 0 ? ['rollback'] : [];
    default: return [];
  }
}

/** How many of a campaign's devices are done, 0 to 100. */
export const progress = (campaign: CampaignView): number =>
  campaign.devices === 0 ? 0 : Math.floor((100 * ((campaign.steps['confirmed'] ?? 0) + (campaign.steps['rolled-back'] ?? 0))) / campaign.devices);

/** Devices by step, as a sentence. */
export const steps = (campaign: CampaignView): string =>
  Object.entries(campaign.steps).map(([step, n]) => `${n} ${STEP_WORD[step] ?? step}`).join(', ');

/** Percentages written with commas; none when they are not rings. */
export function rings(text: string): number[] | undefined {
  const all = text.split(',').map((part) => Number(part.trim()));
  return all.length > 0 && all.length <= 16 && all.every((n) => Number.isInteger(n) && n >= 1 && n <= 100) ? all : undefined;
}
