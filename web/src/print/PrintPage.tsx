// Strips for paper: A4 landscape, true millimetres, through the browser's own printing.
import { createMemo, createResource, createSignal, For, onCleanup, Show, type Component } from 'solid-js';
import { api } from '../api/client';
import { currentPath, currentQuery, go } from '../app/router';
import { nowCoarseMs, serverNow } from '../live/clock';
import { usePatient } from '../patient/patient.state';
import { currentSession } from '../session/session';
import { stripSource } from '../strips/source';
import { exactTime, plural } from '../ui/format';
import { arrangeChannels, channelWord, kindOf } from '../waves/channels';
import { findings, GAINS, lineHeight, linesOf, lineMs, MOST_LINES, readRequest, sheetsOf, SPEEDS } from './print.state';
import { Sheet } from './Sheet';
import './print.css';

const PrintPage: Component<{ params: Record<string, string> }> = (props) => {
  const id = () => props.params.patient ?? '';
  const model = usePatient(id);
  const [loaded, setLoaded] = createSignal(0);
  const [list] = createResource(id, (p) => api.waveforms(p).then((l) => arrangeChannels(l.channels)));
  const source = stripSource(id(), () => setLoaded((n) => n + 1));
  onCleanup(() => source.close());
  const request = createMemo(() => readRequest(currentQuery()));
  const channels = createMemo(() => {
    const all = list() ?? [], wanted = request()?.series ?? [];
    const picked = all.filter((c) => wanted.includes(c.series));
    return picked.length ? picked : all.filter((c) => kindOf(c) === 'ecg').slice(0, 2);
  });
  const lines = createMemo(() => { const r = request(); return r ? linesOf(r.from, r.to, r.speed) : []; });
  const sheets = createMemo(() => sheetsOf(lines(), lineHeight(channels(), request()?.gain ?? 10)));
  const marks = createMemo(() => { loaded(); const r = request(); return r ? source.marks(r.from, r.to) : { beats: [], rhythms: [], quality: [] }; });
  const samples = (series: number, from: number, to: number) => { loaded(); return source.samples(series, from, to); };
  const ready = () => { loaded(); const r = request(); return !!r && channels().length > 0 && channels().every((c) => source.known(c.series, r.from, Math.min(r.to, lines()[lines().length - 1]?.to ?? r.to))); };
  const change = (key: string, value: string | number) => {
    const query = new URLSearchParams(currentQuery());
    query.set(key, String(value));
    go(`${currentPath()}?${query.toString()}`, true);
  };
  const toggle = (series: number) => {
    const now = channels().map((c) => c.series), next = now.includes(series) ? now.filter((s) => s !== series) : [...now, series];
    if (next.length) change('series', next.join(','));
  };
  const printed = () => { const s = currentSession(); return `Printed ${exactTime(nowCoarseMs() || serverNow()).replace(/\.\d+$/, '')}${s && !s.open ? ` by ${s.name}` : ''} · Vitalwire${s ? ` ${s.version}` : ''}`; };
  const devices = () => [...new Set(channels().map((c) => c.device))].map((d) => `device ${d}`).join(', ');
  const cut = () => { const r = request(); return !!r && lines().length === MOST_LINES && r.from + MOST_LINES * lineMs(r.speed) < r.to; };
  return (
    <div class="print-page" data-ready={ready() ? 'yes' : 'no'}>
      <div class="print-bar">
        <a class="btn small" href={`/patients/${encodeURIComponent(id())}/waves${request() ? `?at=${Math.round((request()!.from + Math.min(request()!.to, request()!.from + 10_000)) / 2)}` : ''}`}>← Back to the waveforms</a>
        <h1>Print strips</h1>
        <Show when={request()}>
          {(r) => (
            <>
              <div class="segments small" role="group" aria-label="Speed in mm/s"><For each={SPEEDS}>{(n) => <button type="button" aria-pressed={r().speed === n} onClick={() => change('speed', n)}>{n}</button>}</For><span class="segments-unit">mm/s</span></div>
              <div class="segments small" role="group" aria-label="Gain of the ECG in mm/mV"><For each={GAINS}>{(n) => <button type="button" aria-pressed={r().gain === n} onClick={() => change('gain', n)}>{n}</button>}</For><span class="segments-unit">mm/mV</span></div>
              <div class="chips" role="group" aria-label="Channels"><For each={list() ?? []}>{(c) => <button type="button" class="chip" aria-pressed={channels().includes(c)} onClick={() => toggle(c.series)}>{channelWord(c)}</button>}</For></div>
              <button type="button" class="btn" onClick={() => change('to', r().to + lineMs(r().speed))}>+ {lineMs(r().speed) / 1_000} s</button>
            </>
          )}
        </Show>
        <span class="grow" />
        <span class="muted small" role="status">{ready() ? plural(sheets().length, 'page') : 'Loading…'}</span>
        <button type="button" class="btn primary" disabled={!ready()} onClick={() => window.print()}>Print or save as PDF</button>
      </div>
      <p class="print-note small">A4 landscape at 100 % (“actual size”): a printer that fits to the page makes millimetres wrong. Check the mark: 5 mm wide, 1 mV high.<Show when={cut()}> Only the first {MOST_LINES} lines are printed; export longer intervals.</Show></p>
      <Show when={request()} fallback={<p class="empty">The address names no interval to print. Freeze a strip and choose Print there.</p>}>
        {(r) => (
          <For each={sheets()}>
            {(sheet, i) => <Sheet tile={model.tile()} request={r()} channels={channels()} lines={sheet} page={i() + 1} pages={sheets().length} samples={samples} marks={marks()} devices={devices()} printed={printed()}
              findings={findings(marks().rhythms, marks().quality, channels(), sheet[0]!.from, Math.min(sheet[sheet.length - 1]!.to, r().to))} />}
          </For>
        )}
      </Show>
    </div>
  );
};
export default PrintPage;
