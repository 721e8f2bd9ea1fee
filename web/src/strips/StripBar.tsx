// What one can do with the strip: live or frozen, speed, gain, channels, calipers, export, hold, paper.
import { createSignal, For, Show, type Component } from 'solid-js';
import { currentSession, may } from '../session/session';
import { exactTime, timeOfDay } from '../ui/format';
import { channelWord } from '../waves/channels';
import { rulerIsSet } from '../waves/paper';
import { ExportDialog } from './ExportDialog';
import { HoldDialog } from './HoldDialog';
import { ChannelsDialog } from './ChannelsDialog';
import { RulerDialog } from './RulerDialog';
import { GAINS, SPEEDS } from './strips.state';
import type { Strips } from './useStrips';



export const StripBar: Component<{ strips: Strips; patient: string; holding: boolean; connected: boolean; onHold: (on: boolean) => void }> = (props) => {
  const s = props.strips;
  const [ruler, setRuler] = createSignal(false);
  const [exporting, setExporting] = createSignal(false);
  const [details, setDetails] = createSignal(false);
  const toggle = (series: number) => {
    const { hidden } = s.settings();
    const next = hidden.includes(series) ? hidden.filter((x) => x !== series) : [...hidden, series];
    if (s.channels().some((c) => !next.includes(c.series))) s.change({ hidden: next });
  };
  const window = (): [number, number] => { const from = s.from() ?? 0; return [Math.round(from), Math.round(from + s.span())]; };
  const print = () => { const [from, to] = window(); return `/patients/${encodeURIComponent(props.patient)}/print?from=${from}&to=${Math.max(to, from + 10_000)}&series=${s.shown().map((c) => c.series).join(',')}&gain=${s.settings().gain}&speed=${s.settings().speed === 50 ? 50 : 25}`; };
  return (
    <div class="strip-bar">
      <button type="button" class="btn" classList={{ primary: s.live() }} aria-pressed={!s.live()} onClick={() => (s.live() ? s.freeze() : s.follow())}>{s.live() ? 'Freeze' : 'Go live'}</button>
      <Show when={s.from()} fallback={<Show when={props.connected} fallback={<span class="strip-when frozen"><b>Not live</b> connecting…</span>}><span class="strip-when live"><span class="dot" aria-hidden="true" />Live</span></Show>}>
        {(from) => <span class="strip-when frozen"><b>Not live</b> {exactTime(from()).replace(/\.\d+$/, '')} – {timeOfDay(from() + s.span())}</span>}
      </Show>
      <div class="row" role="group" aria-label="Move through time">
        <button type="button" class="btn small" onClick={() => s.move('PageUp', false)} aria-label="One page back">‹‹</button>
        <button type="button" class="btn small" disabled={s.live()} onClick={() => s.move('PageDown', false)} aria-label="One page on">››</button>
      </div>
      <span class="grow" />
      <div class="segments small" role="group" aria-label="Speed in mm/s">
        <For each={SPEEDS}>{(n) => <button type="button" aria-pressed={s.settings().speed === n} onClick={() => s.change({ speed: n })}>{n}</button>}</For>
        <span class="segments-unit">mm/s</span>
      </div>
      <div class="segments small" role="group" aria-label="Gain of the ECG in mm/mV">
        <For each={GAINS}>{(n) => <button type="button" aria-pressed={s.settings().gain === n} onClick={() => s.change({ gain: n })}>{n}</button>}</For>
        <span class="segments-unit">mm/mV</span>
      </div>
      <button type="button" class="btn small" classList={{ warn: !rulerIsSet() }} onClick={() => setRuler(true)} title="Make a millimetre on this screen true">Ruler</button>
      <button type="button" class="btn small" aria-pressed={!!s.calipers()} onClick={() => s.toggleCalipers()}>Calipers</button>
      <Show when={!s.live()}>
        <button type="button" class="btn small" onClick={() => setExporting(true)}>Export</button>
        <a class="btn small" href={print()}>Print</a>
        <Show when={currentSession() && may('act-on-alerts')}><button type="button" class="btn small" onClick={() => props.onHold(true)}>Keep for ever</button></Show>
      </Show>
      <div class="chips" role="group" aria-label="Channels">
        <For each={s.channels()}>{(c) => <button type="button" class="chip" aria-pressed={!s.settings().hidden.includes(c.series)} onClick={() => toggle(c.series)}>{channelWord(c)}</button>}</For>
        <Show when={s.channels().length}><button type="button" class="btn quiet small" onClick={() => setDetails(true)}>Rates, gaps, drift</button></Show>
      </div>
      <Show when={props.holding && !s.live()}><HoldDialog patient={props.patient} from={window()[0]} to={window()[1]} holds={s.holds()} onChange={() => void s.loadHolds()} onClose={() => props.onHold(false)} /></Show>
      <Show when={exporting() && !s.live()}><ExportDialog patient={props.patient} from={window()[0]} to={window()[1]} first={s.extent()[0]} last={s.extent()[1]} channels={s.channels()} onClose={() => setExporting(false)} /></Show>
      <Show when={details()}><ChannelsDialog channels={s.channels()} onClose={() => setDetails(false)} /></Show>
      <Show when={ruler()}><RulerDialog onClose={() => setRuler(false)} /></Show>
    </div>
  );
};
