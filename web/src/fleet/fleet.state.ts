// What the fleet's pages show in words, and which of a campaign's actions its state allows.
import type { CampaignAction, CampaignView, Vulnerability } from './fleet.api';

export const VERDICT_WORD: Record<string, string> = { ok: 'Good', below: 'Too old', unknown: 'Unknown' };
export const BREAK_WORD: Record<string, string> = {
  rate: 'Sends far more than usual', kind: 'Sends something new', clock: 'Clock elsewhere', stuck: 'Value stands still',
  jumps: 'Values jump', copy: 'Repeats another device', address: 'Speaks from a new address',
};
export const STATE_WORD: Record<string, string> = {
  draft: 'Draft', running: 'Running', paused: 'Paused', halted: 'Halted', 'rolling-back': 'Rolling back', finished: 'Finished',
};
export const STATE_MEANS: Record<string, string> = {
  draft: 'Nothing is offered before somebody begins it.', running: 'A device on a patient is offered nothing; too many failures halt it.',
  paused: 'Nothing more is offered.', halted: 'Nothing more is offered: too many devices failed.', 'rolling-back': 'Devices go back to what they ran before.', finished: '',
};
/** How a device stands to a vulnerability. */
export const AFFECTED_WORD: Record<string, string> = { affected: 'affected', 'under-investigation': 'being looked into', fixed: 'fixed', 'not-affected': 'not affected' };
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

/** A campaign's bar: steps with devices, what is done first, and how many. */
export const bar = (campaign: CampaignView): [step: string, devices: number][] =>
  BAR.flatMap((step): [string, number][] => { const n = campaign.steps[step] ?? 0; return n ? [[step, n]] : []; });
const BAR = ['confirmed', 'rolled-back', 'installed', 'downloading', 'returning', 'offered', 'eligible', 'failed'];

/** One vulnerability and every device that has it. */
export interface Known { id: string; title: string; severity: string; cvss?: number | null; remediation: string; open: number; lines: Vulnerability[] }

/** Lines put together by vulnerability, those open on any device first; the order of the lines stays otherwise. */
export function byVulnerability(lines: Vulnerability[]): Known[] {
  const all = new Map<string, Known>();
  for (const line of lines) {
    const known = all.get(line.id) ?? { id: line.id, title: line.title, severity: line.severity, cvss: line.cvss, remediation: line.remediation, open: 0, lines: [] };
    known.lines.push(line);
    if (!line.acknowledged && (line.status === 'affected' || line.status === 'under-investigation')) known.open += 1;
    all.set(line.id, known);
  }
  return [...all.values()].sort((a, b) => Number(b.open > 0) - Number(a.open > 0));
}

/** Devices by step, as a sentence. */
export const steps = (campaign: CampaignView): string =>
  bar(campaign).map(([step, n]) => `${n} ${STEP_WORD[step] ?? step}`).join(', ');

/** Percentages written with commas; none when they are not rings. */
export function rings(text: string): number[] | undefined {
  const all = text.split(',').map((part) => Number(part.trim()));
  return all.length > 0 && all.length <= 16 && all.every((n) => Number.isInteger(n) && n >= 1 && n <= 100) ? all : undefined;
}
