// One alert in a list.
import { Show, type Component } from 'solid-js';
import type { Alert } from '../api/types';
import { nowMs } from '../live/clock';
import { AlarmMark } from '../ui/AlarmMark';
import { age, when } from '../ui/format';
import { AlertActions } from './AlertActions';
import { escalationLeft, reasonLine, stateText } from './alerts.state';

export const AlertRow: Component<{ alert: Alert; picked: boolean }> = (props) => {
  const a = () => props.alert;
  const left = () => escalationLeft(a(), nowMs());
  return (
    <li class={`alert-row ${a().priority}`} classList={{ picked: props.picked, quiet: a().state !== 'raised', closed: a().state === 'resolved' }} data-episode={a().episode}>
      <div class="alert-mark"><AlarmMark priority={a().priority} quiet={a().state !== 'raised'} /><span class="alert-age" title={when(a().raised_ms, nowMs())}>{a().state === 'resolved' ? when(a().raised_ms, nowMs()) : age(nowMs() - a().raised_ms)}</span></div>
      <div class="alert-main">
        <p class="alert-title">
          <a href={`/alerts/${encodeURIComponent(a().episode)}`} aria-current={props.picked ? 'true' : undefined}>{a().title}</a>
          <Show when={a().level > 0}><span class="chip">level {a().level}</span></Show>
        </p>
        <p class="alert-who">
          <Show when={a().location}>{(l) => <b>{l().name}</b>}</Show>
          <Show when={a().patient} fallback={<span class="mono">{a().device}</span>}>{(p) => <a href={`/patients/${encodeURIComponent(p().id)}`}>{p().name || p().mrn}</a>}</Show>
        </p>
        <p class="alert-reason">{reasonLine(a())}</p>
        <p class="alert-state">
          <Show when={left() != null}><span class="clock"><svg viewBox="0 0 60 6" width="60" height="6" preserveAspectRatio="none" aria-hidden="true"><rect width="60" height="6" rx="3" class="rail" /><rect width={60 * (left() ?? 0)} height="6" rx="3" /></svg></span></Show>
          {stateText(a(), nowMs())}
        </p>
      </div>
      <AlertActions alert={a()} compact />
    </li>
  );
};
