// One uPlot chart of a group of metrics: lines, min/max bands, limits, doubtful stretches, alerts.
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Alert, OwnNormals, TrendLine } from '../api/types';
import { bandAt } from './ownNormal.state';
import { columns, holds, limitValues, nearest, yRange, type Range } from './trends.state';

const COLOURS = ['--c2', '--c1', '--c3', '--c4', '--c5', '--c6'];
const style = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
export const lineColour = (index: number): string => COLOURS[index % COLOURS.length] ?? '--c1';

export interface ChartInput {
  lines: TrendLine[];
  /** What is usual for the patient. */
  own: OwnNormals | null;
  /** Values that are always in view. */
  usual: [number, number] | undefined;
  range: Range;
  alerts: Alert[];
  colour: number;
  axis: boolean;
  width: number;
  height: number;
  onZoom: (range: Range) => void;
  /** Index in each line of the value under the crosshair; null when it has left. */
  onCursor: (at: number[] | null) => void;
  onPick: (line: number, at: number) => void;
}

const join = (lines: TrendLine[]): uPlot.AlignedData => (lines.length ? uPlot.join(lines.map((l) => columns(l) as uPlot.AlignedData)) : [[]]);

const HOUR = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const ticks = (_: uPlot, values: number[]) => values.map((t, i) => {
  const day = DAY.format(t);
  return i === 0 || day !== DAY.format(values[i - 1]) ? `${HOUR.format(t)}\n${day}` : HOUR.format(t);
});

const HOUR_MS = 3_600_000;

/** What is usual for the patient: a ground behind the line, by the hour where the hour counts. */
function drawUsual(u: uPlot, input: ChartInput): void {
  const { ctx } = u;
  const { from, to } = input.range;
  ctx.fillStyle = style('--good');
  ctx.globalAlpha = 0.13;
  for (const line of input.lines) {
    const normal = input.own?.normals.find((n) => n.metric === line.metric);
    if (!normal?.usual || !input.own) continue;
    const step = normal.hours.length ? HOUR_MS : to - from;
    const first = normal.hours.length ? Math.floor(from / HOUR_MS) * HOUR_MS : from;
    for (let t = first; t < to; t += step) {
      const band = bandAt(normal, t, input.own.now_ms);
      if (!band) continue;
      const x = u.valToPos(Math.max(t, from), 'x', true), end = u.valToPos(Math.min(t + step, to), 'x', true);
      const top = u.valToPos(band.high, 'y', true), foot = u.valToPos(band.low, 'y', true);
      ctx.fillRect(x, top, end - x, foot - top);
    }
  }
  ctx.globalAlpha = 1;
}

/** Limits as dashed lines, alerts as faint bands, doubtful intervals as marks at the foot. */
function drawExtras(u: uPlot, input: ChartInput): void {
  const { ctx } = u;
  const { left, top, width, height } = u.bbox;
  ctx.save();
  ctx.textAlign = 'left';
  ctx.textBaseline = 'alphabetic';
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  drawUsual(u, input);
  for (const alert of input.alerts) {
    const x = u.valToPos(alert.raised_ms, 'x', true);
    const end = u.valToPos(alert.resolved_ms ?? input.range.to, 'x', true);
    ctx.fillStyle = style(`--${alert.priority}-soft`) || 'transparent';
    ctx.globalAlpha = 0.6;
    ctx.fillRect(x, top, Math.max(1, end - x), height);
    ctx.globalAlpha = 1;
    ctx.fillStyle = style(`--${alert.priority}`);
    ctx.fillRect(x, top, devicePixelRatio, height);
  }
  ctx.strokeStyle = style('--high-text');
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.fillStyle = style('--high-text');
  ctx.font = `${10 * devicePixelRatio}px sans-serif`;
  for (const line of input.lines) {
    for (const value of limitValues(line.limits)) {
      const y = Math.round(u.valToPos(value, 'y', true));
      ctx.beginPath();
      ctx.moveTo(left, y);
      ctx.lineTo(left + width, y);
      ctx.stroke();
      const above = y - top > 12 * devicePixelRatio;
      ctx.fillText(`${input.lines.length > 1 ? `${line.label} ` : ''}${value}`, left + 3 * devicePixelRatio, y + (above ? -3 : 10) * devicePixelRatio);
    }
  }
  ctx.setLineDash([]);
  ctx.fillStyle = style('--ink-3');
  ctx.font = `${11 * devicePixelRatio}px sans-serif`;
  for (const line of input.lines) {
    let last = -Infinity;
    line.doubtful.forEach((bad, i) => {
      if (!bad) return;
      const x = u.valToPos(line.time_ms[i] ?? 0, 'x', true);
      ctx.fillRect(x - devicePixelRatio, top + height - 4 * devicePixelRatio, 2 * devicePixelRatio, 4 * devicePixelRatio);
      if (x - last > 60 * devicePixelRatio) {
        ctx.fillText('?', x, top + height - 6 * devicePixelRatio);
        last = x;
      }
    });
  }
  ctx.restore();
}

function seriesOf(input: ChartInput): uPlot.Series[] {
  return [{}, ...input.lines.flatMap((line, i): uPlot.Series[] => {
    const stroke = style(lineColour(input.colour + i));
    const hidden: uPlot.Series = { stroke: 'transparent', points: { show: false } };
    const sparse = line.time_ms.length < 60;
    const paths = holds(line.metric) ? uPlot.paths.stepped?.({ align: 1 }) : undefined;
    return [hidden, { ...hidden }, { label: line.label, stroke, width: 1.5, ...(paths && { paths }), points: { show: sparse, size: 4, fill: stroke } }];
  })];
}

/** Draws a chart into `box`. */
export function makeChart(box: HTMLElement, input: ChartInput): { update: (next: ChartInput) => void; destroy: () => void } {
  let now = input;
  const grid = { stroke: style('--line'), width: 1 };
  const chart = new uPlot({
    width: input.width,
    height: input.height,
    ms: 1,
    legend: { show: false },
    padding: [4, 10, input.axis ? 0 : 4, 0],
    cursor: { sync: { key: 'trends', setSeries: false }, drag: { x: true, y: false, setScale: false }, points: { size: 6 }, y: false },
    select: { show: true, left: 0, top: 0, width: 0, height: 0 },
    scales: { x: { time: true, range: () => [now.range.from, now.range.to] }, y: { range: () => yRange(now.lines, now.usual) } },
    axes: [
      { show: true, stroke: style('--ink-3'), grid, ticks: { show: false }, size: input.axis ? 34 : 2, font: '11px sans-serif', values: input.axis ? ticks : () => [] },
      { stroke: style('--ink-3'), grid, ticks: { show: false }, size: 40, font: '11px sans-serif', space: 26 },
    ],
    series: seriesOf(input),
    bands: input.lines.map((line, i) => ({ series: [3 * i + 2, 3 * i + 1] as [number, number], fill: holds(line.metric) ? 'transparent' : `${style(lineColour(input.colour + i))}38` })),
    hooks: {
      drawAxes: [(u) => drawExtras(u, now)],
      setCursor: [(u) => {
        const at = u.cursor.idx;
        const t = at == null ? undefined : u.data[0][at];
        now.onCursor(t === undefined || (u.cursor.left ?? -1) < 0 ? null : now.lines.map((l) => nearest(l.time_ms, t)));
      }],
      setSelect: [(u) => {
        if (u.select.width < 8) return;
        now.onZoom({ from: u.posToVal(u.select.left, 'x'), to: u.posToVal(u.select.left + u.select.width, 'x') });
        u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
      }],
    },
  }, join(input.lines), box);
  let downAt = 0;
  chart.over.addEventListener('mousedown', (e) => { downAt = e.clientX; });
  chart.over.addEventListener('click', (e) => {
    if (Math.abs(e.clientX - downAt) > 4 || !now.lines.length) return;
    const t = chart.posToVal(e.offsetX, 'x'), value = chart.posToVal(e.offsetY, 'y');
    const at = now.lines.map((l) => nearest(l.time_ms, t));
    const far = now.lines.map((l, i) => Math.abs((l.last[at[i] ?? -1] ?? Infinity) - value));
    const line = far.indexOf(Math.min(...far));
    if ((at[line] ?? -1) >= 0) now.onPick(line, at[line] ?? 0);
  });
  return {
    update: (next) => {
      now = next;
      if (chart.width !== next.width) chart.setSize({ width: next.width, height: next.height });
      chart.setData(join(next.lines));
    },
    destroy: () => chart.destroy(),
  };
}
