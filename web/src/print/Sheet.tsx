// One sheet of paper: header, lines, foot. A unit of the drawings is a millimetre.
import { createMemo, For, Show, type Component } from 'solid-js';
import type { BeatPage, Tile, WaveChannel } from '../api/types';
import { laneScale } from '../strips/draw';
import { gapsOf } from '../strips/stretches';
import type { Stretch } from '../strips/stretches';
import { exactTime, timeOfDay } from '../ui/format';
import { channelWord, kindOf } from '../waves/channels';
import { gridPath, laneMm, LINE_MM, lineHeight, MARGIN_MM, MARKS_MM, tracePath, type Line, type PrintRequest } from './print.state';

interface SheetProps {
  tile: Tile | undefined; request: PrintRequest; channels: WaveChannel[]; lines: Line[]; page: number; pages: number;
  samples: (series: number, from: number, to: number) => Stretch[];
  marks: BeatPage; findings: string[]; devices: string; printed: string;
}

export const Sheet: Component<SheetProps> = (props) => {
  const p = () => props.tile?.patient;
  return (
    <section class="sheet" aria-label={`Page ${props.page} of ${props.pages}`}>
      <header class="sheet-head">
        <div>
          <p class="sheet-name">{p()?.name || 'Name unknown'} <span>{props.tile?.location ? `${props.tile.location.unit}, ${props.tile.location.name}` : ''}</span></p>
          <p>MRN {p()?.mrn || '–'}{p()?.birth_date ? ` · born ${p()!.birth_date}` : ''} · {p()?.age_years ?? '–'} years · {p()?.sex ?? ''}{props.tile?.recorded ? ' · RECORDED, not live' : ''}</p>
        </div>
        <div class="sheet-right">
          <p class="sheet-name">{exactTime(props.lines[0]!.from)} – {timeOfDay(Math.min(props.lines[props.lines.length - 1]!.to, props.request.to))}</p>
          <p><b>{props.request.speed} mm/s · ECG {props.request.gain} mm/mV</b> · drawn as received, no filter of Vitalwire’s · {props.devices}</p>
        </div>
        <p class="sheet-findings"><Show when={props.findings.length} fallback="No rhythm was determined in this interval."><b>Found by Vitalwire, not confirmed:</b> {props.findings.join(' · ')}</Show></p>
      </header>
      <For each={props.lines}>{(line) => <PaperLine {...props} line={line} />}</For>
      <footer class="sheet-foot"><span>{props.printed}</span><span>Letters above: N normal, S supraventricular, V ventricular, P paced, F fusion, Q not classifiable</span><span>Page {props.page} of {props.pages}</span></footer>
    </section>
  );
};

const PaperLine: Component<SheetProps & { line: Line }> = (props) => {
  const height = () => lineHeight(props.channels, props.request.gain);
  const x = (ms: number) => ((ms - props.line.from) / 1_000) * props.request.speed;
  const end = () => Math.min(props.line.to, props.request.to);
  const lanes = createMemo(() => {
    let top = MARKS_MM;
    return props.channels.map((c) => {
      const h = laneMm(c, props.request.gain), stretches = props.samples(c.series, props.line.from, end());
      const scale = laneScale(c, stretches, props.line.from, end(), h, 1, props.request.gain);
      const lane = { c, h, top, scale, path: tracePath(stretches, { from: props.line.from, to: end() }, props.request.speed, scale, top + h / 2, h / 2), gaps: gapsOf(stretches, props.line.from, end()) };
      top += h;
      return lane;
    });
  });
  const beats = () => props.marks.beats.filter(([t]) => t >= props.line.from && t < end());
  const seconds = () => Array.from({ length: Math.floor((end() - props.line.from) / 1_000) + 1 }, (_, i) => Math.ceil(props.line.from / 1_000) * 1_000 + i * 1_000).filter((t) => t <= end());
  return (
    <svg class="paper-line" viewBox={`${-MARGIN_MM} 0 ${MARGIN_MM + LINE_MM} ${height()}`} style={{ height: `${height()}mm` }} role="img" aria-label={`${props.channels.map(channelWord).join(', ')} from ${exactTime(props.line.from)} to ${timeOfDay(end())}`}>
      <g transform={`translate(0 ${MARKS_MM})`}>
        <path class="thin" d={gridPath(LINE_MM, height() - MARKS_MM, 1)} />
        <path class="thick" d={gridPath(LINE_MM, height() - MARKS_MM, 5)} />
      </g>
      <For each={seconds()}>
        {(t) => <g><path class="tick" d={`M${x(t)} ${MARKS_MM}v-1.5`} /><Show when={(t / 1_000) % (props.request.speed < 25 ? 2 : 1) === 0}><text class="time" x={x(t) + 0.5} y={MARKS_MM - 0.5}>{timeOfDay(t)}</text></Show></g>}
      </For>
      <For each={beats()}>{([t, letter]) => <text class="beat" classList={{ odd: letter !== 'N' }} x={x(t)} y={3.4}>{letter}</text>}</For>
      <For each={lanes()}>
        {(lane) => (
          <g>
            <For each={lane.gaps}>
              {(g) => <g><rect class="gap" x={x(g.fromMs)} y={lane.top} width={x(g.toMs) - x(g.fromMs)} height={lane.h} />
                <Show when={x(g.toMs) - x(g.fromMs) > 22}><text class="gap-word" x={(x(g.fromMs) + x(g.toMs)) / 2} y={lane.top + lane.h / 2}>no signal {((g.toMs - g.fromMs) / 1_000).toFixed(1)} s</text></Show></g>}
            </For>
            <path class="trace" d={lane.path} />
            <text class="lane" x={1} y={lane.top + 3.2}>{channelWord(lane.c)} <tspan>{lane.scale.word}</tspan></text>
            <Show when={kindOf(lane.c) === 'ecg'}><path class="calibration" d={`M${1 - MARGIN_MM} ${lane.top + lane.h / 2 + props.request.gain / 2}h1v${-props.request.gain}h5v${props.request.gain}h1`} /></Show>
          </g>
        )}
      </For>
    </svg>
  );
};
