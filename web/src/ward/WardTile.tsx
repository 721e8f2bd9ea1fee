// One patient at a glance. The whole tile is a link to the patient.
import { createMemo, Show, type Component } from 'solid-js';
import type { CurrentValue, Tile } from '../api/types';
import { nowCoarseMs } from '../live/clock';
import { isLive } from '../live/store';
import { freshness, stateWords } from '../ui/freshness';
import { number } from '../ui/format';
import { AlarmBar } from './AlarmBar';
import { ScoreBadge } from './ScoreBadge';
import { ValueCell } from './ValueCell';
import { mindLetter, onOxygen, pick, pressure, sexLetter, SLOTS } from './ward.state';

const LINK_WORD: Record<string, string> = { lost: 'Link lost', offline: 'Offline', silent: 'Silent' };

/** What is wrong with the devices on the patient, in a word; empty when they all speak. */
export function linkTrouble(tile: Tile): string {
  if (tile.devices.length === 0) return 'No device';
  const bad = tile.devices.find((d) => d.link !== 'online');
  return bad ? (LINK_WORD[bad.link] ?? bad.link) : '';
}

const MIND_WORD: Record<string, string> = { A: 'alert', C: 'new confusion', V: 'responds to voice', P: 'responds to pain', U: 'unresponsive' };

/** A state in a letter, coloured by its points; struck through when it is too old (TI-1). */
const StateChip: Component<{ value: CurrentValue; shown: string; words: string }> = (props) => {
  const fresh = createMemo(() => freshness(props.value, nowCoarseMs(), isLive()));
  const stale = () => fresh().state === 'stale';
  return (
    <span class={`state-chip p${stale() ? 0 : Math.min(props.value.points ?? 0, 3)}`} classList={{ stale: stale() }} title={props.words}>
      <Show when={stale()} fallback={<span aria-hidden="true">{props.shown}</span>}><s aria-hidden="true">{props.shown}</s></Show>
      <Show when={!stale() && props.value.points}>{(p) => <span class="plus" aria-hidden="true">+{p()}</span>}</Show>
      <span class="sr-only">{props.words} {stateWords(fresh(), props.value.flags)}</span>
    </span>
  );
};

interface WardTileProps {
  tile: Tile;
  tabIndex: number;
  onFocus: () => void;
}

export const WardTile: Component<WardTileProps> = (props) => {
  const values = () => props.tile.values;
  const slot = (metrics: readonly string[]) => createMemo(() => pick(values(), metrics));
  const rate = slot(SLOTS.rate), resp = slot(SLOTS.resp), spo2 = slot(SLOTS.spo2), temp = slot(SLOTS.temp), mind = slot(SLOTS.mind), oxygen = slot(SLOTS.oxygen);
  const bp = createMemo(() => pressure(values()));
  const bpText = () => {
    const p = bp();
    return p ? `${number(p.systolic.value, 0)}/${number(p.diastolic?.value, 0)}` : undefined;
  };
  const patient = () => props.tile.patient;
  return (
    <a class="tile" classList={{ sounding: props.tile.alarm.sounding, recorded: props.tile.recorded, [props.tile.alarm.priority]: true }} href={`/patients/${encodeURIComponent(patient().id)}`} tabindex={props.tabIndex} onFocus={() => props.onFocus()}>
      <AlarmBar tile={props.tile} />
      <span class="who-line">
        <span class="name" title={patient().name}>{patient().name || 'Name unknown'}</span>
        <span class="age-sex">{patient().age_years ?? '–'}<span class="sr-only"> years</span> {sexLetter(patient().sex)}</span>
      </span>
      <span class="sub-line">
        <span class="mrn"><span class="sr-only">record number </span>{patient().mrn}</span>
        <Show when={onOxygen(oxygen())}><StateChip value={oxygen()!} shown="O₂" words="on supplemental oxygen" /></Show>
        <Show when={mind()}>{(m) => <StateChip value={m()} shown={mindLetter(m())} words={`consciousness: ${MIND_WORD[mindLetter(m())] ?? m().text ?? ''}`} />}</Show>
      </span>
      <span class="cells first">
        <ValueCell label={rate()?.label ?? 'HR'} value={rate()} />
        <ValueCell label="RR" value={resp()} />
        <ValueCell label="SpO2" value={spo2()} />
      </span>
      <span class="cells second">
        <ValueCell label={bp()?.systolic.metric.includes('ABP') ? 'ABP' : 'BP'} value={bp()?.systolic} shown={bpText()} />
        <ValueCell label="Temp" value={temp()} />
      </span>
      <span class="foot">
        <Show when={props.tile.score} fallback={<span class="score none">No score</span>}>{(score) => <ScoreBadge score={score()} />}</Show>
        <Show when={props.tile.risk}>{(risk) => <span class="risk-mark" title={`A model proposes a look: risk of ${risk()} raised`}><span aria-hidden="true">▲</span> risk<span class="sr-only"> of {risk()} raised by a model</span></span>}</Show>
        <Show when={props.tile.recorded}><span class="badge-recorded" title="Played back from a recording, not live">REC<span class="sr-only"> recorded, not live</span></span></Show>
        <Show when={linkTrouble(props.tile)}>{(word) => <span class="link-bad"><span aria-hidden="true">⊘ </span>{word()}</span>}</Show>
      </span>
    </a>
  );
};
