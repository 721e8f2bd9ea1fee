// The policy's numbers in words: what each does, what it is now, how far a slider reasonably goes.
import { pretty } from '../ui/format';
import type { Parameter } from './laboratory.api';

const LIMIT_WORD: Record<string, string> = {
  low: 'medium priority below', high: 'medium priority above', critical_low: 'high priority below', critical_high: 'high priority above',
  for_s: 'beyond the limit for this long before it alerts',
};
const COMMON_WORD: Record<string, string> = {
  for_s: 'holds for this long before it alerts', clear_s: 'gone for this long before the alert ends', hysteresis: 'comes back by this much before the alert ends',
  worsen_by: 'worse by this much: a taken alert sounds again', age_from: 'for patients from this age on', age_below: 'for patients below this age',
  repeat_s: 'sounds again after, until somebody takes it', hold_s: 'a condition without new values holds for',
};
const GAP_WORD: Record<string, string> = {
  after_s: 'silent for this long before it alerts', intervals: 'or silent for this many of its usual intervals', clear_s: 'heard again for this long before the alert ends',
};

const SIGNS: [RegExp, string][] = [[/>=/g, '≥'], [/<=/g, '≤'], [/\s*==\s*/g, ' = ']];

/** An expression as people write it, with the wanted number (from 1) left open: `NEWS2 ≥ …`. */
export function expressionWords(expression: string, which: number): string {
  let n = 0;
  const open = expression.replace(/([<>=]+\s*)(-?\d+(?:\.\d+)?)/g, (all, sign: string) => (++n === which ? `${sign}…` : all));
  return pretty(SIGNS.reduce((text, [sign, word]) => text.replace(sign, word), open));
}

/** What a number does, without what it belongs to. */
export function numberWords(p: Pick<Parameter, 'path' | 'what'>): string {
  const [kind, ...rest] = p.path.split('.');
  const when = /\.when(?:\.(\d+))?$/.exec(p.path);
  if (when) return `when ${expressionWords(p.what, Number(when[1] ?? 1))}`;
  const own = kind === 'limit' ? LIMIT_WORD[p.what] : kind === 'gap' ? GAP_WORD[p.what] : undefined;
  if (own) return own;
  if (kind === 'chain' && p.what === 'after_s') return rest.length > 2 ? 'called after' : p.what;
  return COMMON_WORD[p.what] ?? p.what;
}

/** What a number belongs to: `Oxygen saturation`, `Early-warning score high, medium priority`. */
export const belongsTo = (p: Pick<Parameter, 'of'>): string => pretty(p.of.replace(/, (high|medium|low)$/, ', $1 priority').replace(/charge-nurse/g, 'charge nurse'));

/** A value with its unit, or that the policy does not say it. */
export const valueWords = (value: number | string | null | undefined, unit: string): string => (value == null ? 'not set' : unit === '%' ? `${value} %` : `${value}${unit ? ` ${unit}` : ''}`);

/** All in one line: `Oxygen saturation: medium priority below 88 %`. */
export const wholeWords = (p: Parameter, value: number | string | null | undefined = p.value): string => {
  const words = numberWords(p);
  const text = words.includes('…') ? words.replace('…', valueWords(value, p.unit)) : `${words} ${valueWords(value, p.unit)}`;
  return `${belongsTo(p)}: ${text}`;
};

/** Numbers in which every word of the question occurs; those that the policy leaves out only if asked for. */
export function findNumbers(all: readonly Parameter[], question: string, unset: boolean): Parameter[] {
  const words = question.toLowerCase().split(/\s+/).filter(Boolean);
  return all.filter((p) => {
    const text = `${belongsTo(p)} ${numberWords(p)} ${p.path} ${p.unit}`.toLowerCase().replace(/₂/g, '2');
    return (unset || p.value != null) && words.every((word) => text.includes(word));
  });
}

export interface Reach { min: number; max: number; step: number }

const seconds = (value: number): Reach => {
  const step = value >= 600 ? 60 : value >= 120 ? 10 : value >= 30 ? 5 : 1;
  return { min: 0, max: Math.max(60, Math.ceil((value * 3) / step) * step), step };
};

/** How far the slider of a number goes, and in which steps; null: the policy does not set it, a box is enough. */
export function reach(p: Pick<Parameter, 'value' | 'unit' | 'path'>): Reach | null {
  const { value, unit } = p;
  if (value == null) return null;
  if (unit === 's') return seconds(value);
  const step = unit === '°C' || !Number.isInteger(value) ? 0.1 : 1;
  const wide = unit === '°C' ? 3 : Math.max(step * 5, Math.ceil((Math.abs(value) * 0.3) / step) * step);
  const around = { min: Math.max(0, tidy(value - wide)), max: tidy(value + wide), step };
  return unit === '%' ? { ...around, max: Math.min(100, around.max) } : around;
}

/** Without what binary fractions add: 0.1 thrice is 0.3. */
export const tidy = (value: number): number => Math.round(value * 1e6) / 1e6;
