// How edges are told of, in words that a technician on the ward understands.
import { age, dateTime, plural, sentence } from '../ui/format';
import type { EdgeView } from './fleet.api';

/** A line about an edge; what wants somebody is `bad` or `warn`. */
export interface Line { text: string; tone?: 'bad' | 'warn' }

/** States in words. */
export const EDGE_STATE: Record<string, string> = { waits: 'Not set up yet', online: 'Connected', behind: 'Catching up', silent: 'Not heard' };

/** Why something was left out. */
export const GAP_REASON: Record<string, string> = {
  full: 'its storage was full', rule: 'its rules ask for less', journal: 'it had run too long without room to keep it',
};

const CLASS: Record<string, string> = { numerics: 'messages with values', waveforms: 'messages with waveforms', alerts: 'alerts' };
const share = (edge: EdgeView) => (edge.spool_bytes_max > 0 ? Math.round((100 * edge.spool_bytes) / edge.spool_bytes_max) : 0);

/** Whether it is heard, and since when not. */
export function contact(edge: EdgeView, now: number): Line {
  if (edge.state === 'waits') return { text: 'Waits for its code: start the edge with the command that was shown.', tone: 'warn' };
  if (edge.heard_ms == null) return { text: 'Never heard.', tone: 'bad' };
  if (edge.state === 'silent') return { text: `Last heard ${dateTime(edge.heard_ms)}, ${age(now - edge.heard_ms)} ago. It alarms by itself and keeps what it takes in until it is back.`, tone: 'bad' };
  return { text: `Heard ${age(now - edge.heard_ms)} ago. ${edge.devices === 0 ? 'No device was heard through it yet.' : `${plural(edge.devices, 'device')} through it, ${plural(edge.open_alerts, 'open alert')}.`}` };
}

/** What waits there to be sent. */
export function waiting(edge: EdgeView, now: number): Line {
  if (edge.state === 'waits') return { text: '' };
  const silent = edge.state === 'silent';
  if (edge.spool_pieces === 0) return { text: silent ? 'Nothing waited there when it was last heard.' : 'All that it took in is here.' };
  const since = edge.oldest_ms == null ? '' : `, the oldest for ${age(now - edge.oldest_ms)}`;
  const full = share(edge);
  const what = `${plural(edge.spool_pieces, 'message')} ${silent ? 'waited there when it was last heard' : 'on the way here'}${since}`;
  return { text: `${what}; ${full} % of its storage used.`, tone: full >= 80 ? 'bad' : undefined };
}

/** Version, clock, configuration, access: what is as it should be is said quietly. */
export function condition(edge: EdgeView): Line[] {
  if (edge.state === 'waits') return [];
  const lines: Line[] = [];
  for (const why of edge.refused) lines.push({ text: `The edge refused part of its configuration. ${sentence(why)}`, tone: 'bad' });
  if (!edge.configured && edge.refused.length === 0) lines.push({ text: 'The newest configuration is not in force there yet.', tone: 'warn' });
  const off = edge.clock_ahead_ms ?? 0;
  if (Math.abs(off) > 2_000) lines.push({ text: `Its clock is ${age(Math.abs(off))} ${off > 0 ? 'ahead' : 'behind'}; times are corrected here.`, tone: 'warn' });
  if (edge.age === 'older') lines.push({ text: `Version ${edge.version} is older than this centre's (${edge.centre_version}): update the edge.`, tone: 'warn' });
  else if (edge.age === 'newer') lines.push({ text: `Version ${edge.version} is newer than this centre's (${edge.centre_version}): update the centre first.`, tone: 'warn' });
  return lines;
}

const URGENT: Record<string, string> = { medium: ' of medium or high priority', high: ' of high priority' };

/** `Sends every value and all waveforms.` */
export function sends(rules: EdgeView['rules']): string {
  const thinned = rules.numerics_every_s > 0, around = rules.waveforms === 'around-alerts';
  const values = thinned ? `a value of each metric every ${rules.numerics_every_s} s` : 'every value';
  const s = rules.around_alerts_s, alerts = `alerts${URGENT[rules.around_priority ?? ''] ?? ''}`;
  const more = [around && `all waveforms from ${s} s before to ${s} s after ${alerts}`, thinned && `every value for ${s} s after ${around ? 'them' : alerts}`].filter(Boolean).join(' and ');
  const near = more && s > 0 ? `; ${more}` : '';
  return `Sends ${values} and ${rules.waveforms === 'all' ? 'all' : 'no'} waveforms${near}. Alerts are always sent.`;
}

/** `120 messages with waveforms were left out: its rules ask for less.` */
export function gap(one: { class: string; reason: string; pieces: number }): string {
  const what = CLASS[one.class] ?? one.class;
  return `${one.pieces} ${what} not sent: ${GAP_REASON[one.reason] ?? one.reason}.`;
}
