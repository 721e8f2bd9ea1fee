// What is to be tried, as somebody fills it in: the period, numbers to set, numbers to sweep, a budget.
import { tickStep } from './curve.state';
import type { Asked, Laboratory, Parameter, SweepNumber } from './laboratory.api';
import { belongsTo, reach, tidy } from './numbers.state';

const DAY_MS = 86_400_000;
export const PERIODS = [{ id: 'day', title: 'Last day', days: 1 }, { id: 'week', title: 'Last week', days: 7 }, { id: 'month', title: 'Last month', days: 30 }, { id: 'all', title: 'All', days: 0 }, { id: 'dates', title: 'Dates', days: 0 }] as const;
export type PeriodId = (typeof PERIODS)[number]['id'];

export interface Choice { parameter: Parameter; mode: 'set' | 'sweep'; value: string; from: string; to: string; step: string }
export interface Plan { period: PeriodId; from: string; to: string; choices: Choice[]; budget: string; target: string; title: string }

export const emptyPlan = (): Plan => ({ period: 'week', from: '', to: '', choices: [], budget: '', target: '', title: '' });

/** A number newly chosen: set to what it is; its sweep goes two steps to either side. */
export function choose(parameter: Parameter): Choice {
  const { value, unit } = parameter;
  if (value == null) return { parameter, mode: 'set', value: '', from: '', to: '', step: '1' };
  const finest = reach(parameter)?.step ?? 1;
  const span = unit === '°C' ? 2 : unit === 's' ? Math.max(value, 5) : Math.abs(value) * 0.1;
  const step = Math.max(finest, tickStep(Math.max(span, finest), 5));
  return { parameter, mode: 'set', value: String(value), from: String(Math.max(0, tidy(value - 2 * step))), to: String(tidy(value + 2 * step)), step: String(tidy(step)) };
}

/** The plan with numbers as they are now; those that the policy no longer has are left out. */
export const renew = (plan: Plan, numbers: readonly Parameter[]): Plan => ({
  ...plan,
  choices: plan.choices.flatMap((choice) => {
    const parameter = numbers.find((p) => p.path === choice.parameter.path);
    return parameter ? [{ ...choice, parameter }] : [];
  }),
});

const numberOf = (text: string): number => (text.trim() === '' ? NaN : Number(text.replace(',', '.')));

/** How many values a sweep has, both ends included; 0 when its numbers are none. */
export function valuesOf(choice: Choice): number {
  const [from, to, step] = [choice.from, choice.to, choice.step].map(numberOf) as [number, number, number];
  if (![from, to, step].every(Number.isFinite) || step <= 0) return 0;
  return Math.floor(Math.abs(to - from) / step + 1e-9) + 1;
}

/** How many policies are tried beside the present one. */
export const policiesOf = (plan: Plan): number => (plan.choices.length ? plan.choices.filter((c) => c.mode === 'sweep').reduce((all, c) => all * valuesOf(c), 1) : 0);

/** Local midnight of a day as a date field writes it. */
const midnight = (day: string): number => new Date(`${day}T00:00:00`).getTime();

/** From when to when; `to` of dates is the end of that day. */
export function periodOf(plan: Plan, now: number): { from: number | null; to: number | null } {
  if (plan.period === 'all') return { from: null, to: null };
  if (plan.period === 'dates') return { from: plan.from ? midnight(plan.from) : null, to: plan.to ? midnight(plan.to) + DAY_MS : null };
  const days = PERIODS.find((p) => p.id === plan.period)?.days ?? 7;
  return { from: now - days * DAY_MS, to: null };
}

function choiceProblem(choice: Choice): string {
  const name = belongsTo(choice.parameter);
  if (choice.mode === 'set') return Number.isFinite(numberOf(choice.value)) ? '' : `${name}: say the new value.`;
  return valuesOf(choice) === 0 ? `${name}: say from, to, and steps above 0.` : '';
}

/** Why it cannot be started yet, in words; empty when it can. */
export function problemOf(plan: Plan, about: Pick<Laboratory, 'policies_max' | 'from_ms'>, now: number): string {
  if (about.from_ms == null) return 'Nothing has been recorded yet: there is no past to try a policy on.';
  if (!plan.choices.length) return 'Choose at least one number to change.';
  const wrong = plan.choices.map(choiceProblem).find(Boolean);
  if (wrong) return wrong;
  const sweeps = plan.choices.filter((c) => c.mode === 'sweep');
  if (sweeps.length > 2) return 'Two numbers can be swept at once; set the others.';
  if (!sweeps.length && plan.choices.every((c) => c.parameter.value != null && numberOf(c.value) === c.parameter.value)) return 'No number is changed yet.';
  const policies = policiesOf(plan);
  if (policies > about.policies_max) return `That makes ${policies} policies; ${about.policies_max} can be tried at once. Take larger steps.`;
  if (plan.budget && !(numberOf(plan.budget) > 0)) return 'The budget is a number of alerts a bed-day, above 0.';
  const { from, to } = periodOf(plan, now);
  return from != null && to != null && from >= to ? 'The last day is before the first.' : '';
}

/** What is asked of the server; night, clock and the like are those of the house. */
export function askedOf(plan: Plan, defaults: Laboratory['defaults'], now: number): Asked {
  const { from, to } = periodOf(plan, now);
  const sweep = plan.choices.filter((c) => c.mode === 'sweep').map((c): SweepNumber => ({ path: c.parameter.path, from: numberOf(c.from), to: numberOf(c.to), step: numberOf(c.step) }));
  return {
    ...defaults, title: plan.title.trim(), from_ms: from, to_ms: to, sweep,
    set: plan.choices.filter((c) => c.mode === 'set').map((c) => ({ path: c.parameter.path, value: numberOf(c.value) })),
    target: plan.target || null, budget: plan.budget && sweep.length ? numberOf(plan.budget) : null,
  };
}

/** Seconds that are left of a run, in words; empty while nobody knows. */
export function leftWords(left: number | null | undefined): string {
  if (left == null) return '';
  return left < 10 ? 'a few seconds left' : left < 90 ? `about ${Math.round(left / 10) * 10} s left` : `about ${Math.round(left / 60)} min left`;
}
