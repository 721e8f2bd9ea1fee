// Words and figures of model cards.
import type { ModelCard } from '../api/types';

type Figure = ModelCard['figures'][number];

export const ROLE_WORD: Record<string, string> = { champion: 'In use', shadow: 'Compared, not shown', off: 'Not in use' };

const short = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(3));

/** A figure with its interval. */
export function figure(f: Pick<Figure, 'value' | 'low' | 'high'>): string {
  const between = f.low == null || f.high == null ? '' : ` (${short(f.low)} to ${short(f.high)})`;
  return short(f.value) + between;
}

/** Figures by the patients that they were computed on, in their order. */
export function grouped(figures: readonly Figure[]): [string, Figure[]][] {
  const groups = new Map<string, Figure[]>();
  for (const one of figures) groups.set(one.on, [...(groups.get(one.on) ?? []), one]);
  return [...groups];
}
