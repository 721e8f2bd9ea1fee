// The score of the last hours as a line; the bands of NEWS2 behind it would be noise at this size.
import { createMemo, type Component } from 'solid-js';

const WIDTH = 60;
const HEIGHT = 16;

/** The path through `points` (time, value), at most `top` high, in steps: a score holds until the next one. */
export function sparkPath(points: readonly (readonly [number, number])[], top: number): string {
  const first = points[0], last = points[points.length - 1];
  if (!first || !last || points.length < 2) return '';
  const span = Math.max(1, last[0] - first[0]);
  return points.map(([t, v], i) => {
    const x = (((t - first[0]) / span) * (WIDTH - 4) + 2).toFixed(1), y = (HEIGHT - 2 - (Math.min(v, top) / top) * (HEIGHT - 4)).toFixed(1);
    return i ? `H${x}V${y}` : `M${x} ${y}`;
  }).join('');
}

export const Sparkline: Component<{ trend: [number, number][] }> = (props) => {
  const path = createMemo(() => sparkPath(props.trend, Math.max(8, ...props.trend.map((p) => p[1]))));
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} preserveAspectRatio="none" aria-hidden="true">
      <path d={path()} />
    </svg>
  );
};
