// Alerts that the change would have spared, and those that only it would have raised, one by one.
import { createResource, For, Show, type Component } from 'solid-js';
import { may } from '../session/session';
import { AlarmMark } from '../ui/AlarmMark';
import { dateTime, hourMinute, plural, pretty, sentence } from '../ui/format';
import { lab, type AlertLine, type Moved } from './laboratory.api';

const Lines: Component<{ title: string; lines: AlertLine[]; none: string }> = (props) => (
  <>
    <h3>{props.title}</h3>
    <ul class="lab-list lab-moved" aria-label={props.title}>
      <For each={props.lines} fallback={<li class="muted">{props.none}</li>}>
        {(line) => (
          <li class="lab-line">
            <AlarmMark priority={line.priority} />
            <span>
              <Show when={line.episode} fallback={<b>{pretty(line.title)}</b>}>{(episode) => <a href={`/alerts/${episode()}`}>{pretty(line.title)}</a>}</Show>
              , <a href={`/patients/${encodeURIComponent(line.patient.id)}`}>{line.patient.name || 'without a name'}</a>, {dateTime(line.begin_ms)}{line.end_ms ? ` to ${hourMinute(line.end_ms)}` : ', not over'}
              <Show when={line.preceded}> <b class="lab-preceded">preceded a real event</b></Show>
            </span>
          </li>
        )}
      </For>
    </ul>
  </>
);

export const MovedCard: Component<{ run: number; candidate: number; moved: Moved }> = (props) => {
  const [lines] = createResource(() => may('see-patients') && ([props.run, props.candidate] as const), ([run, candidate]) => lab.moved(run, candidate));
  const warn = (n: number) => (n ? `, ${n} of them before a real event: look at ${n === 1 ? 'it' : 'these'} first` : '');
  return (
    <section class="card" aria-labelledby="moved-title">
      <header><h2 id="moved-title">Alerts that would be gone, or new</h2></header>
      <div class="body stack">
        <p><b>{plural(props.moved.gone, 'alert')} gone</b>{warn(props.moved.gone_preceding)}; <b>{props.moved.new} new</b>{props.moved.new_preceding ? `, ${props.moved.new_preceding} of them before a real event` : ''}; {props.moved.kept} stay.</p>
        <Show when={may('see-patients')} fallback={<p class="muted">One by one they are shown to whoever may see patients.</p>}>
          <Show when={lines.error as Error | undefined}>{(error) => <p class="error" role="alert">{sentence(error().message)}</p>}</Show>
          <Show when={!lines.loading && !lines.error && lines.latest} fallback={<Show when={lines.loading}><p class="muted" role="status">Loading the alerts…</p></Show>}>
            {(l) => (
              <>
                <Lines title="Gone" lines={l().gone} none="No alert would be gone." />
                <Lines title="New" lines={l().new} none="No alert would be new." />
                <Show when={l().hidden}><p class="small muted">{plural(l().hidden, 'alert')} of patients whom this account may not see are left out.</p></Show>
                <Show when={l().cut}><p class="small muted">There are more than are kept; those before a real event come first.</p></Show>
              </>
            )}
          </Show>
        </Show>
      </div>
    </section>
  );
};
