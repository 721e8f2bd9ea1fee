// Words and figures of model cards.
import type { ModelCard } from '../api/types';

type Figure = ModelCard['figures'][number];

export const ROLE_WORD: Record<string, string> = { champion: 'In use', shadow: 'Compared, not shown', off: 'Not in use' };

const short = (value: number): string => value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 3);

/** A figure with its interval. */
export function figure(f: Pick<Figure, 'value' | 'low' | 'high'>): string {
  const between = f.low == null || f.high == null ? '' : ` (${short(f.low)} to ${short(f.high)})`;
  return short(f.value) + between;
}

/** Figures that share the patients they were computed on: of all of them, then of each group, in their order. */
export interface Measured { on: string; all: Figure[]; groups: [string, Figure[]][] }

export function grouped(figures: readonly Figure[]): Measured[] {
  const found = new Map<string, Measured>();
  for (const one of figures) {
    const measured = found.get(one.on) ?? { on: one.on, all: [], groups: [] };
    found.set(one.on, measured);
    if (one.group == null) measured.all.push(one);
    else {
      const group = measured.groups.find(([name]) => name === one.group);
      if (group) group[1].push(one);
      else measured.groups.push([one.group, [one]]);
    }
  }
  return [...found.values()];
}
