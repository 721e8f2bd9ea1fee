// Takes an interval out as a file that other programs read.
import { createSignal, For, Show, type Component } from 'solid-js';
import { BASE } from '../api/client';
import type { WaveChannel } from '../api/types';
import { Dialog } from '../ui/Dialog';
import { exactTime, timeOfDay } from '../ui/format';
import { exportSpans, tooLong } from './strips.state';

const FORMATS: [string, string, string][] = [
  ['wfdb', 'WFDB', 'records of PhysioNet, with beats; a zip'], ['edf', 'EDF+', 'read by most viewers of ECG and EEG'], ['csv', 'CSV', 'one line a sample'],
  ['parquet', 'Parquet', 'for pandas, Arrow, DuckDB'], ['fhir', 'FHIR', 'Observations with SampledData'],
];

export const ExportDialog: Component<{ patient: string; from: number; to: number; first: number; last: number; channels: WaveChannel[]; onClose: () => void }> = (props) => {
  const [format, setFormat] = createSignal('wfdb');
  const [span, setSpan] = createSignal(0);
  const spans = () => exportSpans(props.from, props.to, props.first, props.last);
  const chosen = () => spans()[span()] ?? spans()[0]!;
  const file = () => `${BASE}/patients/${encodeURIComponent(props.patient)}/waveforms/export?from_ms=${chosen().from}&to_ms=${chosen().to}&format=${format()}`;
  return (
    <Dialog title="Export waveforms" onClose={props.onClose}>
      <div class="stack">
        <fieldset class="choices">
          <legend>How much</legend>
          <For each={spans()}>{(s, i) => <label class="check"><input type="radio" name="span" checked={span() === i()} onChange={() => setSpan(i())} /> {s.word}</label>}</For>
        </fieldset>
        <fieldset class="choices">
          <legend>As what</legend>
          <For each={FORMATS}>{([name, word, what]) => <label class="check"><input type="radio" name="format" checked={format() === name} onChange={() => setFormat(name)} /> <span><b>{word}</b> <span class="muted small">{what}</span></span></label>}</For>
        </fieldset>
        <p class="small muted">All channels, {exactTime(chosen().from).replace(/\.\d+$/, '')} to {timeOfDay(chosen().to)}. The file holds patient data; that it was taken is kept on record.</p>
        <div class="dialog-foot">
          <button type="button" class="btn" onClick={() => props.onClose()}>Close</button>
          <Show when={!tooLong(chosen(), props.channels, format())} fallback={<p class="error" role="status">Too long for one file of this format: choose less, or another format.</p>}><a class="btn primary" href={file()} download="">Download</a></Show>
        </div>
      </div>
    </Dialog>
  );
};
