// The trade-off of a sweep as a picture: alerts a bed-day to the right, the share of events seen upwards.
import { percent, rate } from './comparison.state';
import type { Point } from './laboratory.api';

export interface Spot {
  /** Its place in the list of points. */
  at: number;
  x: number;
  y: number;
  /** Ends of its intervals, in pixels: left, right, bottom, top. */
  reach: [number, number, number, number] | null;
  point: Point;
  kind: 'present' | 'proposed' | 'frontier' | 'beaten';
}
export interface Picture {
  spots: Spot[];
  frontier: string;
  xTicks: [number, string][];
  yTicks: [number, string][];
  /** None without a budget, or when it lies beyond the picture. */
  budget: number | null;
  /** Whether points lie on each other. */
  covered: boolean;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

const MARGIN = { left: 46, right: 16, top: 26, bottom: 40 };
/** A budget is drawn when it is within this many times the most alerts of a policy. */
const FAR = 1.6;
const STEPS = [1, 2, 2.5, 5, 10];

/** Steps between marks of an axis so that there are about `wanted`. */
export function tickStep(span: number, wanted: number): number {
  const raw = span / wanted, power = 10 ** Math.floor(Math.log10(raw));
  return power * (STEPS.find((step) => step * power >= raw - 1e-12) ?? 10);
}

const placed = (point: Point): point is Point & { alerts_per_bed_day: { value: number }; sensitivity: { value: number } } => point.alerts_per_bed_day.value != null && point.sensitivity.value != null;

/** Whether there is anything to draw: events that an alert could precede, and bed-days. */
export const drawable = (points: readonly Point[]): boolean => points.some(placed);

/** What a point is, by its place in the list: the first is the present policy. */
export function kindOf(point: Point, at: number, proposed: number | null): Spot['kind'] {
  return at === 0 ? 'present' : at === proposed ? 'proposed' : point.on_frontier ? 'frontier' : 'beaten';
}

/** Where everything stands on a picture of this size. The first point is the present policy. */
export function picture(points: readonly Point[], width: number, height: number, budget: number | null, proposed: number | null): Picture {
  const [left, right, top, bottom] = [MARGIN.left, width - MARGIN.right, MARGIN.top, height - MARGIN.bottom];
  const rates = points.filter(placed).map((p) => p.alerts_per_bed_day.value);
  const shares = points.filter(placed).map((p) => p.sensitivity.value);
  // A budget far from every policy would press them all against the edge.
  const widest = Math.max(...rates, 0.1);
  const most = Math.max(widest, budget != null && budget <= widest * FAR ? budget : 0) * 1.08;
  const xStep = tickStep(most, width < 480 ? 4 : 8);
  const floor = Math.max(0, Math.floor((Math.min(...shares, 1) - 0.05) * 10) / 10);
  const yStep = tickStep(1 - floor, 5);
  const x = (value: number) => left + (Math.min(Math.max(value, 0), most) / most) * (right - left);
  const y = (value: number) => bottom - ((Math.min(Math.max(value, floor), 1) - floor) / (1 - floor)) * (bottom - top);
  const spots = points.flatMap((point, at): Spot[] => {
    if (!placed(point)) return [];
    const { alerts_per_bed_day: a, sensitivity: s } = point;
    const known = a.low != null && a.high != null && s.low != null && s.high != null;
    const reach: Spot['reach'] = known ? [x(a.low!), x(a.high!), y(s.low!), y(s.high!)] : null;
    return [{ at, x: x(a.value), y: y(s.value), reach, point, kind: kindOf(point, at, proposed) }];
  });
  const best = spots.filter((spot) => spot.point.on_frontier).sort((a, b) => a.x - b.x);
  const ticks = (from: number, to: number, step: number) => Array.from({ length: Math.floor((to - from) / step + 1e-6) + 1 }, (_, n) => from + n * step);
  return {
    spots, left, right, top, bottom,
    frontier: best.map((spot, n) => `${n ? 'L' : 'M'}${spot.x.toFixed(1)} ${spot.y.toFixed(1)}`).join(''),
    xTicks: ticks(0, most, xStep).map((value) => [x(value), String(Math.round(value * 100) / 100)]),
    yTicks: ticks(floor, 1, yStep).map((value) => [y(value), percent(value)]),
    budget: budget == null || budget > most ? null : x(budget),
    covered: new Set(spots.map((spot) => `${Math.round(spot.x / 4)} ${Math.round(spot.y / 4)}`)).size < spots.length,
  };
}

/** The order in which arrow keys go: from few alerts to many. */
export const keyOrder = (spots: readonly Spot[]): number[] => [...spots].sort((a, b) => a.x - b.x || a.at - b.at).map((spot) => spot.at);

/** What a point is, in words: for screen readers, the table and under the picture. */
export function pointWords(point: Point, kind: Spot['kind'], name: string): string {
  const what = { present: 'the present policy', proposed: 'proposed within the budget', frontier: 'on the frontier', beaten: 'another is better' }[kind];
  return `${name}: ${rate(point.alerts_per_bed_day.value)} alerts a bed-day, ${percent(point.sensitivity.value)} of events seen; ${what}`;
}
