// One device in the table.
import { Show, type Component } from 'solid-js';
import type { DeviceView } from '../api/types';
import { may } from '../session/session';
import { age, signedMs } from '../ui/format';
import { protocolName } from '../source/MessageFacts';
import { clockOff, CLOCK_WORD, isChart, LINK_WORD } from './devices.state';

const LINK_SIGN: Record<string, string> = { online: '●', silent: '◐', offline: '○', lost: '⊘' };

export const LinkSign: Component<{ link: string }> = (props) => (
  <span class={`link ${props.link}`}><span aria-hidden="true">{LINK_SIGN[props.link] ?? '?'}</span> {LINK_WORD[props.link] ?? props.link}</span>
);

export const DeviceRow: Component<{ device: DeviceView; now: number; picked: boolean }> = (props) => {
  const d = () => props.device;
  const name = () => (isChart(d()) ? `Chart${d().patient ? ` of ${d().patient?.name || d().patient?.mrn}` : ''}` : d().name || d().id);
  return (
    <tr classList={{ picked: props.picked, announced: d().standing === 'announced' }}>
      <th scope="row">
        <a href={`/devices/${encodeURIComponent(d().id)}`}>{name()}</a>
        <Show when={d().standing === 'announced'}> <span class="chip new">Announced</span></Show>
        <div class="small muted"><Show when={name() !== d().id}><span class="mono">{d().id}</span> · </Show>{protocolName(d().protocol)}<Show when={d().model}> · {d().model}</Show></div>
      </th>
      <td data-label="Link"><LinkSign link={d().link} /></td>
      <td data-label="On">
        <Show when={d().patient} fallback={<span class="muted">{d().on_patient ? 'on a patient' : d().standing === 'announced' ? 'nobody yet' : '–'}</span>}>{(p) => <Show when={may('see-patients')} fallback={p().name || p().mrn}><a href={`/patients/${encodeURIComponent(p().id)}`}>{p().name || p().mrn}</a></Show>}</Show>
        <Show when={d().location}>{(l) => <span class="muted"> {l().name}</span>}</Show>
      </td>
      <td class="num" data-label="Last heard">{d().last_seen_ms ? age(props.now - d().last_seen_ms!) : 'never'}</td>
      <td class="num" data-label="Messages/min">{d().per_minute.toFixed(d().per_minute < 10 ? 1 : 0)}</td>
      <td class="num" data-label="Delay">{d().delay_ms == null ? '–' : signedMs(d().delay_ms!).replace('+', '')}</td>
      <td class="num" data-label="Clock">
        <span classList={{ bad: clockOff(d()) }} title={CLOCK_WORD[d().clock]}>{d().clock_offset_ms == null ? (CLOCK_WORD[d().clock] ?? '–') : signedMs(d().clock_offset_ms!)}</span>
      </td>
      <td class="num" data-label="Battery"><Show when={d().battery != null} fallback={<span class="muted">–</span>}><span classList={{ bad: d().battery! < 20 }}>{Math.round(d().battery!)} %</span></Show></td>
      <td class="num" data-label="Not understood"><Show when={d().problems} fallback={<span class="muted">0</span>}><Show when={may('see-quarantine')} fallback={<span class="bad">{d().problems}</span>}><a class="bad" href="/quarantine">{d().problems}</a></Show></Show></td>
    </tr>
  );
};
