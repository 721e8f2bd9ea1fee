// Words of scores and their bands.
import type { ScoreView } from '../api/types';
import type { ScoreRight } from '../burden/burden.api';

const BANDS = ['none', 'low', 'low-medium', 'medium', 'high'];
const WORDS: Record<string, string> = { none: 'no band', low: 'low', 'low-medium': 'low to medium', medium: 'medium', high: 'high' };

/** How much concern, 0 to 4. */
export const standing = (band: string): number => Math.max(0, BANDS.indexOf(band));
export const bandWord = (band: string): string => WORDS[band] ?? band;
export const shownScore = (s: Pick<ScoreView, 'value' | 'complete'>): string => (s.value == null ? '–' : `${s.complete ? '' : '≥ '}${s.value % 1 ? s.value.toFixed(2) : s.value}`);

const LABELS: Record<string, string> = { 'Shock index': 'SI' };

/** What the house knows of a score’s bands. */
export const rightOf = (all: ScoreRight[], s: Pick<ScoreView, 'name'>): ScoreRight[] => all.filter((one) => one.score === (LABELS[s.name] ?? s.name));
