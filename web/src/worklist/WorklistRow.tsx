// One patient in the worklist: who, why, since when unseen, and what is suggested.
import { createMemo, For, Show, type Component } from 'solid-js';
import { nowCoarseMs } from '../live/clock';
import { may } from '../session/session';
import { AlarmMark } from '../ui/AlarmMark';
import { attempt } from '../ui/toast';
import { Sparkline } from '../ward/Sparkline';
import { Pathway } from './Pathways';
import { worklist, type WorklistLine } from './worklist.api';
import { seenText } from './worklist.state';

export const WorklistRow: Component<{ line: WorklistLine; place: number; onChange: () => void }> = (props) => {
  const name = () => [props.line.location?.name, props.line.patient.name].filter(Boolean).join(', ') || props.line.patient.mrn || 'Unknown patient';
  /** The patient's clock: ours, or that of a recording, which stands between messages. */
  const now = createMemo(() => (props.line.recorded ? props.line.now_ms : Math.max(nowCoarseMs(), props.line.now_ms)));
  const seen = async () => {
    const done = await attempt(() => worklist.seen(props.line.patient.id, 'bedside').then(() => true), `Seen: ${name()}`);
    if (done) props.onChange();
  };
  return (
    <li class="work-line" data-patient={props.line.patient.id}>
      <span class="place" aria-hidden="true">{props.place}</span>
      <div class="work-who">
        <a href={`/patients/${props.line.patient.id}`}><strong>{name()}</strong></a>
        <span class="muted small">
          <Show when={props.line.unseen_since_ms != null} fallback="nothing heard yet">
            {seenText(props.line, now())}
          </Show>
        </span>
      </div>
      <ol class="reasons" aria-label={`Why ${name()}`}>
        <For each={props.line.reasons} fallback={<li class="muted">nothing that stands out</li>}>
          {(reason) => <li class={`reason-${reason.kind}`}>{reason.text}</li>}
        </For>
      </ol>
      <div class="work-score">
        <Show when={props.line.score}>{(score) => <span title="Early-warning score, last hours"><span class="small">{score().name} {score().value ?? '–'}</span> <Sparkline trend={score().trend as [number, number][]} /></span>}</Show>
        <Show when={props.line.alarm.count > 0}><span class="small"><AlarmMark priority={props.line.alarm.priority} quiet={props.line.alarm.acknowledged} /> {props.line.alarm.count} open</span></Show>
      </div>
      <Show when={may('act-on-alerts')}>
        <button type="button" class="btn small work-seen" data-act="seen" onClick={() => void seen()}>Seen<span class="sr-only"> {name()}</span></button>
      </Show>
      <Show when={props.line.pathways.length}>
        <div class="work-pathways">
          <For each={props.line.pathways}>
            {(pathway) => <Pathway patient={props.line.patient.id} name={name()} pathway={pathway} now={now()} onChange={props.onChange} />}
          </For>
        </div>
      </Show>
    </li>
  );
};
