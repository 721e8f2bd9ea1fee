// How a model's risk is put into words and drawn.
import type { RiskView } from '../api/types';

export const TREND_WIDTH = 120;
export const TREND_HEIGHT = 28;

export const CLASS_WORD: Record<string, string> = { high: 'Raised: a look is proposed', unsure: 'The model can’t tell', low: 'Not raised', abstained: 'Not judged' };
export const CLASS_MARK: Record<string, string> = { high: '▲', unsure: '?', low: '○', abstained: '–' };

/** A probability as people read it; small ones are not shown as none. */
export function percent(value: number | null | undefined): string {
  if (value == null) return '–';
  const hundred = value * 100;
  if (hundred > 0 && hundred < 1) return '< 1 %';
  return `${hundred < 10 ? hundred.toFixed(1).replace(/\.0$/, '') : Math.round(hundred)} %`;
}

/** Between what the risk lies. */
export function interval(risk: Pick<RiskView, 'low' | 'high'>): string {
  return risk.low == null || risk.high == null ? '' : `between ${percent(risk.low)} and ${percent(risk.high)}`;
}

/** Within what time, as people say it. */
export const horizon = (hours: number): string => (hours >= 72 && hours % 24 === 0 ? `${hours / 24} days` : `${hours} h`);

/** The path of a trend; the whole height is a probability of at least a half. */
export function trendPath(trend: readonly (readonly [number, number] | readonly unknown[])[]): string {
  const points = trend.map((point) => [Number(point[0]), Number(point[1])] as const);
  const first = points[0], last = points[points.length - 1];
  if (!first || !last) return '';
  const span = Math.max(1, last[0] - first[0]), top = Math.max(0.5, ...points.map(([, value]) => value));
  return points.map(([time, value], at) => {
    const x = (((time - first[0]) / span) * (TREND_WIDTH - 4) + 2).toFixed(1);
    const y = (TREND_HEIGHT - 2 - (value / top) * (TREND_HEIGHT - 4)).toFixed(1);
    return `${at ? 'L' : 'M'}${x} ${y}`;
  }).join('');
}
