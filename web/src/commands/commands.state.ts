// Words of commands to devices. No markup here.
import { countdown } from '../ui/format';
import { unitWord } from '../waves/channels';

export interface ParameterView { name: string; title: string; kind: string; unit: string; low?: number | null; high?: number | null; choices: string[] }
export interface OfferView { name: string; title: string; class: string; allowed: boolean; two_person: boolean; identifiers: boolean; expires_s: number; read_back: string; parameters: ParameterView[] }
export interface CommandLine { state: string; at_ms: number; by: string; detail: string }
export interface CommandView {
  id: string; device: string; patient: string; command: string; class: string; parameters: { name: string; value: string; unit: string }[];
  state: string; settled: boolean; by: string; second?: string | null; expires_ms: number; may_confirm: boolean; may_cancel: boolean; history: CommandLine[];
}
export interface DeviceCommands { offers: OfferView[]; commands: CommandView[]; now_ms: number }

/** A state as a sign, a word and how it looks: never by colour alone. */
export const STATE: Record<string, { sign: string; word: string; tone: 'wait' | 'good' | 'bad' | 'doubt' | 'quiet' }> = {
  awaiting: { sign: '◔', word: 'Waits for a second person', tone: 'wait' },
  requested: { sign: '◔', word: 'Requested, not sent yet', tone: 'wait' },
  sending: { sign: '◑', word: 'Being sent', tone: 'wait' },
  sent: { sign: '◑', word: 'Sent, no answer yet', tone: 'wait' },
  accepted: { sign: '◕', word: 'Accepted by the device', tone: 'wait' },
  done: { sign: '✓', word: 'Done', tone: 'good' },
  failed: { sign: '✕', word: 'Failed', tone: 'bad' },
  expired: { sign: '⊘', word: 'Expired: never sent', tone: 'quiet' },
  cancelled: { sign: '–', word: 'Cancelled: never sent', tone: 'quiet' },
  refused: { sign: '⊘', word: 'Refused: never sent', tone: 'bad' },
  unknown: { sign: '?', word: 'Unknown: look at the device', tone: 'doubt' },
};

export const stateOf = (state: string) => STATE[state] ?? { sign: '?', word: state, tone: 'doubt' as const };

/** Title of a command, its parameters in brackets. */
export function titleOf(command: CommandView, offers: OfferView[]): string {
  const title = offers.find((o) => o.name === command.command)?.title ?? command.command;
  const with_ = valuesOf(command, offers).join(', ');
  return with_ ? `${title}: ${with_}` : title;
}

/** What a command was asked with, as people say it: `Rate 5 mL/h`. */
export function valuesOf(command: CommandView, offers: OfferView[]): string[] {
  const known = offers.find((o) => o.name === command.command)?.parameters ?? [];
  return command.parameters.map((p) => `${known.find((k) => k.name === p.name)?.title ?? p.name} ${p.value} ${unitWord(p.unit)}`.trim());
}

/** What whoever looks at a state does next, or waits for; `now` is the server's clock. Empty when there is nothing. */
export function nextOf(command: CommandView, now: number): string {
  const left = countdown(command.expires_ms - now);
  switch (command.state) {
    case 'awaiting': return command.may_confirm ? `You can agree, for ${left} more. Then it expires.` : `Somebody else with the right for it must agree within ${left}. Then it expires.`;
    case 'requested': return `The device is not reached yet. It is sent within ${left}, or never.`;
    case 'sending': case 'sent': return 'Do not ask again: the device may be doing it.';
    case 'accepted': return 'Not done yet: it counts as done when the device reads back what it is set to.';
    case 'unknown': return 'Go to the device and read what it is set to. It may have done it, or not. It is never sent again by itself.';
    case 'failed': return 'Look at the device before you ask again.';
    case 'refused': case 'expired': return 'The device never got it.';
    default: return '';
  }
}

/** What a form holds, as the request has it; a text says what is missing or wrong. */
export function parametersOf(offer: OfferView, form: Record<string, string>): Record<string, number | string | boolean> | string {
  const out: Record<string, number | string | boolean> = {};
  for (const p of offer.parameters) {
    const text = (form[p.name] ?? '').trim();
    if (p.kind === 'flag') { out[p.name] = text === 'true'; continue; }
    if (!text) return `${p.title}: missing`;
    if (p.kind === 'choice') { out[p.name] = text; continue; }
    const number = Number(text.replace(',', '.'));
    if (!Number.isFinite(number) || (p.low != null && number < p.low) || (p.high != null && number > p.high)) return `${p.title}: ${p.low} to ${p.high} ${unitWord(p.unit)}`.trim();
    out[p.name] = number;
  }
  return out;
}
