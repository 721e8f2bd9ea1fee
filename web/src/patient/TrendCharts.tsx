// The stacked charts of the trends card; loaded with uPlot only when a patient is opened.
import { createEffect, createMemo, createSignal, For, on, onCleanup, onMount, Show, type Component } from 'solid-js';
import type { Alert, OwnNormals, TrendLine, Trends } from '../api/types';
import { useTheme } from '../app/theme';
import { showSource } from '../source/source.state';
import { hourMinute, number, pretty } from '../ui/format';
import { lineColour, makeChart } from './chart';
import type { Group, Range } from './trends.state';

interface TrendChartsProps {
  own: OwnNormals | null;
  groups: Group[];
  trends: Trends;
  alerts: Alert[];
  range: Range;
  onZoom: (range: Range) => void;
}

const TrendCharts: Component<TrendChartsProps> = (props) => {
  const [width, setWidth] = createSignal(0);
  const theme = useTheme();
  let box!: HTMLDivElement;
  onMount(() => {
    const seen = new ResizeObserver(() => setWidth(Math.max(200, box.clientWidth)));
    seen.observe(box);
    setWidth(Math.max(200, box.clientWidth));
    onCleanup(() => seen.disconnect());
  });
  return (
    <div class="charts" ref={box}>
      <Show when={width() > 0}>
        <For each={props.groups}>
          {(group, i) => (
            <Show when={theme()} keyed>
              <Chart {...props} group={group} colour={i() * 2} width={width()} axis={i() === props.groups.length - 1} />
            </Show>
          )}
        </For>
      </Show>
    </div>
  );
};
export default TrendCharts;

interface ChartProps extends TrendChartsProps { group: Group; colour: number; width: number; axis: boolean }

const Chart: Component<ChartProps> = (props) => {
  let box!: HTMLDivElement;
  const [at, setAt] = createSignal<number[] | null>(null);
  const lines = createMemo(() => props.group.metrics.map((m) => props.trends.lines.find((l) => l.metric === m)).filter((l): l is TrendLine => !!l && l.time_ms.length > 0));
  const side = () => (props.width > 640 ? 124 : 0);
  const input = () => ({
    lines: lines(), own: props.own, usual: props.group.usual, range: props.range, alerts: props.alerts, colour: props.colour, axis: props.axis,
    width: props.width - side(), height: (props.axis ? 132 : 100) + (lines().length > 2 ? 20 : 0), onZoom: props.onZoom, onCursor: setAt,
    onPick: (line: number, i: number) => { const name = lines()[line]?.reading[i]; if (name) showSource(name); },
  });
  const shape = createMemo(() => lines().map((l) => l.metric).join() + props.axis);
  createEffect(on(shape, () => {
    const chart = makeChart(box, input());
    createEffect(on(() => [props.trends, props.range, props.alerts, props.own, props.width], () => chart.update(input()), { defer: true }));
    onCleanup(() => chart.destroy());
  }));
  const summary = () => lines().map((l) => `${l.label}: lowest ${number(Math.min(...l.low), l.decimals)}, highest ${number(Math.max(...l.high), l.decimals)}, last ${number(l.last[l.last.length - 1], l.decimals)} ${l.unit}`).join('; ');
  return (
    <div class="chart-row">
      <div class="readout">
        <h3>{props.group.title}</h3>
        <For each={lines()} fallback={<p class="muted small">nothing in this range</p>}>
          {(line, i) => <Readout line={line} at={at()?.[i()] ?? null} colour={lineColour(props.colour + i())} />}
        </For>
      </div>
      <div class="chart" ref={box} role="img" aria-label={`${props.group.title}. ${summary()}`} />
    </div>
  );
};

const Readout: Component<{ line: TrendLine; at: number | null; colour: string }> = (props) => {
  const i = () => props.at ?? props.line.last.length - 1;
  const spread = () => (props.line.low[i()] ?? 0) !== (props.line.high[i()] ?? 0) && props.at != null;
  return (
    <p class="read" classList={{ present: props.at == null }}>
      <svg viewBox="0 0 10 10" width="10" height="10" aria-hidden="true"><rect width="10" height="10" rx="2" fill={`var(${props.colour})`} /></svg>
      <span class="read-label">{pretty(props.line.label)}</span>
      <button type="button" class="link-source" title="Where does this number come from?" onClick={() => { const r = props.line.reading[i()]; if (r) showSource(r); }}>
        {number(props.line.last[i()], props.line.decimals)}
      </button>
      <span class="u">{props.line.unit}</span>
      <Show when={props.at != null}>
        <span class="read-at">{hourMinute(props.line.time_ms[i()] ?? 0)}{spread() ? ` · ${number(props.line.low[i()], props.line.decimals)}–${number(props.line.high[i()], props.line.decimals)}` : ''}</span>
      </Show>
    </p>
  );
};
