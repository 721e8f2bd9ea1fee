// Words of commands to devices. No markup here.

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
  expired: { sign: '⌛', word: 'Expired: never sent', tone: 'quiet' },
  cancelled: { sign: '–', word: 'Cancelled: never sent', tone: 'quiet' },
  refused: { sign: '✕', word: 'Refused: never sent', tone: 'bad' },
  unknown: { sign: '?', word: 'Unknown: look at the device', tone: 'doubt' },
};

export const stateOf = (state: string) => STATE[state] ?? { sign: '?', word: state, tone: 'doubt' as const };

/** Title of a command, its parameters in brackets. */
export function titleOf(command: CommandView, offers: OfferView[]): string {
  const title = offers.find((o) => o.name === command.command)?.title ?? command.command;
  const with_ = command.parameters.map((p) => `${p.name} ${p.value}${p.unit ? ` ${p.unit}` : ''}`).join(', ');
  return with_ ? `${title} (${with_})` : title;
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
    if (!Number.isFinite(number) || (p.low != null && number < p.low) || (p.high != null && number > p.high)) return `${p.title}: ${p.low} to ${p.high} ${p.unit}`;
    out[p.name] = number;
  }
  return out;
}
