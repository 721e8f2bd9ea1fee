// How models do here, in words and numbers.
import { percent } from '../patient/risks.state';
import { plural } from '../ui/format';
import type { Change, Compared, ModelWatch, Ranged } from './models.api';

export const MATTER_WORD: Record<string, string> = { inputs: 'Inputs', outcomes: 'Outcomes', abstentions: 'Abstentions' };
export const PERIODS = [7, 28, 91] as const;
export const PLOT = 220;
export const MARKS = ['●', '■', '▲', '◆'] as const;

const two = (value: number): string => value.toFixed(2);

/** A figure with its interval. */
export function ranged(value: Ranged | null | undefined, none = 'too few events to tell'): string {
  if (!value) return none;
  return value.low == null || value.high == null ? two(value.value) : `${two(value.value)} (${two(value.low)} to ${two(value.high)})`;
}

/** What is known of a model's inputs. */
export function inputsText(watch: ModelWatch): string {
  if (watch.judgements < watch.judgements_least || watch.patients < watch.patients_least) {
    return `Too few to tell: ${watch.judgements.toLocaleString('en')} judgements of ${watch.patients.toLocaleString('en')} patients, of at least ${watch.judgements_least.toLocaleString('en')} of ${watch.patients_least}.`;
  }
  return watch.shifted.length ? `${watch.shifted.length} of ${watch.inputs} are not as in training.` : `All ${watch.inputs} are as in training.`;
}

/** What became of a model's risks. */
export function outcomesText(watch: ModelWatch): string {
  const o = watch.outcomes;
  if (!watch.events.length) return 'Not compared: nothing in the records here says to whom it happened. The configuration may name what counts (events).';
  if (!o.risks) return 'None is over yet.';
  const times = o.ratio == null ? '' : `, ${two(o.ratio)} times`;
  return `Of ${o.risks.toLocaleString('en')} risks, ${o.observed} came true where ${o.expected.toFixed(1)} were to be expected${times}.`;
}

/** Alerts a bed-day. */
export const rate = (value: number | null | undefined): string => (value == null ? '–' : value.toFixed(2));

/** Of whom it is said, how many had the event. */
const right = (share: { of: number; all: number }): string => (share.all ? `; the event came after ${share.of} of ${share.all} of them whose outcome is known` : '');

/** What would change, a sentence each. */
export function changes(change: Change): string[] {
  const more = change.alerts_per_bed_day;
  const alerts = more == null ? 'Alerts a bed-day: not known' : Math.abs(more) < 0.005 ? 'As many alerts a bed-day' : `${two(Math.abs(more))} alerts a bed-day ${more > 0 ? 'more' : 'fewer'}`;
  return [
    alerts,
    `No longer raised: ${plural(change.no_longer, 'moment')}${right(change.no_longer_right)}`,
    `Newly raised: ${plural(change.newly, 'moment')}${right(change.newly_right)}`,
    `Raised by both: ${plural(change.both, 'moment')}; the same class at ${percent(change.agree.all ? change.agree.of / change.agree.all : null)} of moments that both judged`,
  ];
}

/** The configuration that lets another model be the champion; both versions are told by their files. */
export function configuration(champion: Compared, challenger: Compared): string {
  const line = (model: Compared, role: string) => `[[models.model]]\nshipped = "${model.model}"   # or file = "…": version ${model.version.split('+')[0]}\nrole = "${role}"`;
  return `${line(challenger, 'champion')}\n\n${line(champion, 'shadow')}`;
}

/** The top of a plot's axes: round, and above every point and its interval's middle. */
export function topOf(compared: readonly Compared[]): number {
  const values = compared.flatMap((one) => one.curve.flatMap((point) => [point.risk, point.events / Math.max(1, point.moments)]));
  const most = Math.max(0.05, ...values);
  return [0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1].find((top) => top >= most) ?? 1;
}
