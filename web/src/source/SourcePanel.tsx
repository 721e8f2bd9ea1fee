// "Where does this number come from": device, times, flags and the message itself (PR-1).
import { createResource, Show, type Component } from 'solid-js';
import { api } from '../api/client';
import type { ReadingSource } from '../api/types';
import { Dialog } from '../ui/Dialog';
import { Loading } from '../ui/Loading';
import { exactTime, number, signedMs } from '../ui/format';
import { MessageFacts } from './MessageFacts';
import { hideSource, shownReading } from './source.state';

export const SourcePanel: Component = () => (
  <Show when={shownReading()} keyed>{(name) => <Panel name={name} />}</Show>
);

const Panel: Component<{ name: string }> = (props) => {
  const [source] = createResource(() => props.name, api.reading);
  return (
    <Dialog title="Where does this number come from?" side onClose={hideSource}>
      <Loading what="the source">
        <Show when={source()}>{(s) => <Source source={s()} />}</Show>
      </Loading>
    </Dialog>
  );
};

const Source: Component<{ source: ReadingSource }> = (props) => {
  const s = () => props.source;
  return (
    <>
      <p class="source-value">
        <span class="muted">{s().name}</span>
        <b>{s().text || number(s().value, s().value != null && s().value! % 1 ? 1 : 0)} <span class="u">{s().unit}</span></b>
      </p>
      <dl class="facts">
        <dt>Patient</dt><dd>{s().patient ? `${s().patient!.name || 'Name unknown'} · ${s().patient!.mrn}` : 'none at that time'}</dd>
        <dt>Device</dt><dd><a href={`/devices/${encodeURIComponent(s().device)}`} onClick={hideSource}>{s().device_name || s().device}</a> <span class="mono muted">{s().device}</span></dd>
        <dt>True at</dt><dd>{exactTime(s().time_ms)}</dd>
        <dt>Device said</dt>
        <dd>
          <Show when={s().device_time_ms != null} fallback="no time of its own; ours stands in">
            {exactTime(s().device_time_ms!)} <Show when={s().device_time_ms !== s().time_ms}><span class="chip">{signedMs(s().device_time_ms! - s().time_ms)} to the corrected time</span></Show>
          </Show>
        </dd>
        <dt>Received</dt><dd>{exactTime(s().received_ms)} <span class="chip">{signedMs(s().received_ms - s().time_ms)}</span></dd>
        <dt>Quality</dt><dd>{s().flags.length ? s().flags.map((f) => <span class="chip flag">{f}</span>) : 'nothing known against it'}</dd>
        <dt>Metric</dt><dd class="mono">{s().metric}</dd>
        <dt>Journal</dt><dd class="mono">entry {s().offset}, value {s().index}</dd>
      </dl>
      <h3>The message</h3>
      <Show when={s().message} fallback={<p class="muted">The journal has been shortened since; the message is no longer kept.</p>}>
        {(m) => <MessageFacts message={m()} />}
      </Show>
    </>
  );
};
