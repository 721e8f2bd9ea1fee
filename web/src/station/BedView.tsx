// One bed of the central station: alarm, two sweeping waveforms with what is wrong with them, numerics, rhythm.
import { createEffect, createMemo, For, on, onCleanup, onMount, Show, type Component } from 'solid-js';
import type { Tile } from '../api/types';
import { AlarmBar } from '../ward/AlarmBar';
import { linkTrouble } from '../ward/WardTile';
import { pick, pressure, SLOTS } from '../ward/ward.state';
import { ValueCell } from '../ward/ValueCell';
import { number, timeOfDay } from '../ui/format';
import { channelWord, kindOf, reasonWord, rhythmWeight, rhythmWord, unitWord } from '../waves/channels';
import { thinWords } from '../waves/wire';
import type { Bed, LaneState } from './bed';

interface BedViewProps {
  tile: Tile;
  bed: Bed;
  /** The list of channels has come. */
  known: boolean;
  speed: number;
  theme: string;
  tabIndex: number;
  onFocus: () => void;
}

export const BedView: Component<BedViewProps> = (props) => {
  let canvas!: HTMLCanvasElement;
  let size: [number, number] = [1, 1];
  const resize = () => props.bed.resize(canvas, size[0], size[1], props.speed);
  onMount(() => {
    props.bed.attach(canvas);
    const seen = new ResizeObserver(([entry]) => {
      if (entry) size = [entry.contentRect.width, entry.contentRect.height];
      resize();
    });
    seen.observe(canvas);
    onCleanup(() => seen.disconnect());
  });
  createEffect(on(() => [props.speed, props.theme], resize, { defer: true }));
  const lanes = () => props.bed.state.lanes;
  const silent = createMemo(() => lanes().length > 0 && lanes().every((l) => !l.channel || l.silentSince !== null));
  return (
    <a class={`station-bed ${props.tile.alarm.priority}`} classList={{ sounding: props.tile.alarm.sounding, silent: silent(), recorded: props.tile.recorded }} href={`/patients/${encodeURIComponent(props.tile.patient.id)}/waves`} tabindex={props.tabIndex} onFocus={() => props.onFocus()}>
      <AlarmBar tile={props.tile} />
      <span class="bed-who">
        <span class="name" title={props.tile.patient.name}>{props.tile.patient.name || 'Name unknown'}</span>
        <Show when={props.tile.recorded}><span class="badge-recorded">REC<span class="sr-only"> recorded, not live</span></span></Show>
        <Show when={linkTrouble(props.tile)}>{(word) => <span class="link-bad"><span aria-hidden="true">⊘ </span>{word()}</span>}</Show>
        <RhythmWord bed={props.bed} silent={silent()} />
      </span>
      <span class="bed-body">
        <span class="bed-lanes">
          <canvas ref={canvas} aria-hidden="true" />
          <For each={lanes()}>{(lane, i) => <LaneLabel lane={lane} top={(100 * i()) / lanes().length} />}</For>
          <Show when={props.known && lanes().length === 0}><span class="lane-none">No waveforms from this bed</span></Show>
        </span>
        <Numerics tile={props.tile} />
      </span>
    </a>
  );
};

const RhythmWord: Component<{ bed: Bed; silent: boolean }> = (props) => (
  <Show when={!props.silent && props.bed.state.rhythm}>
    {(rhythm) => <span class={`rhythm w${rhythmWeight(rhythm())}`} title={props.bed.state.rhythmSince ? `since ${timeOfDay(props.bed.state.rhythmSince)}` : ''}>{rhythmWord(rhythm())}</span>}
  </Show>
);

/** Name and scale of a lane; in its middle what is wrong, so that it can't be overlooked. */
const LaneLabel: Component<{ lane: LaneState; top: number }> = (props) => {
  const trouble = () => reasonWord(props.lane.said?.quality);
  return (
    <Show when={props.lane.channel}>
      {(channel) => (
        <span class={`lane-label ${kindOf(channel())}`} classList={{ dead: props.lane.silentSince !== null }} style={{ top: `${props.top}%` }}>
          <span class="lane-name">{channelWord(channel())} <Show when={props.lane.said?.recorded}><span class="badge-recorded">REC<span class="sr-only"> recorded, not live</span></span> </Show><span class="lane-scale" aria-hidden="true">{props.lane.scale} {kindOf(channel()) === 'abp' ? unitWord(channel().unit) : ''}</span></span>
          <Show when={props.lane.silentSince} fallback={
            <>
              <Show when={trouble()}><span class="lane-bad"><span aria-hidden="true">⚠ </span>{channelWord(channel())}: {trouble()}</span></Show>
              <Show when={thinWords(props.lane.said)}>{(words) => <span class="lane-thin" title={`${props.lane.said?.thinned} samples are drawn as one`}>{words()}</span>}</Show>
            </>
          }>
            {(since) => <span class="lane-bad gone">No signal since {timeOfDay(since())}</span>}
          </Show>
        </span>
      )}
    </Show>
  );
};

const Numerics: Component<{ tile: Tile }> = (props) => {
  const slot = (metrics: readonly string[]) => createMemo(() => pick(props.tile.values, metrics));
  const rate = slot(SLOTS.rate), resp = slot(SLOTS.resp), spo2 = slot(SLOTS.spo2);
  const bp = createMemo(() => pressure(props.tile.values));
  const bpText = () => { const p = bp(); return p ? `${number(p.systolic.value, 0)}/${number(p.diastolic?.value, 0)}` : undefined; };
  return (
    <span class="bed-numbers">
      <span class="big"><ValueCell label={rate()?.label ?? 'HR'} value={rate()} /></span>
      <span class="big"><ValueCell label="SpO2" value={spo2()} /></span>
      <ValueCell label={bp()?.systolic.metric.includes('ABP') ? 'ABP' : 'BP'} value={bp()?.systolic} shown={bpText()} />
      <ValueCell label="RR" value={resp()} />
    </span>
  );
};
