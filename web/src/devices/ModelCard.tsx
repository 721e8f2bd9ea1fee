// What a device is made of and can measure, what it says of itself, when it was calibrated.
import { createResource, For, Show, type Component } from 'solid-js';
import { api } from '../api/client';
import type { DeviceModel, DevicePart } from '../api/types';
import { METHOD_WORD, calibrationState, identifierWord } from './devices.state';

export const ModelCard: Component<{ id: string }> = (props) => {
  const [model] = createResource(() => props.id, (id) => api.deviceModel(id));
  return (
    <Show when={!model.error} fallback={<p class="error" role="alert">{(model.error as Error | undefined)?.message}</p>}>
      <Show when={model.latest}>{(m) => <><State model={m()} /><Parts parts={m().parts} /></>}</Show>
    </Show>
  );
};

const State: Component<{ model: DeviceModel }> = (props) => (
  <section class="stack">
    <h3>What it is</h3>
    <dl class="facts">
      <Show when={props.model.kind}><dt>Kind</dt><dd>{props.model.kind}</dd></Show>
      <For each={props.model.identifiers}>{(one) => <><dt>{identifierWord(one.kind)}</dt><dd class="mono">{one.value}</dd></>}</For>
      <dt>Clock is set</dt><dd>{METHOD_WORD[props.model.clock_method] ?? props.model.clock_method}</dd>
      <dt>Calibrated</dt><dd>{props.model.calibrated ?? 'nobody said'}</dd>
      <dt>Next calibration</dt><dd classList={{ bad: props.model.calibration_overdue }}>{calibrationState(props.model)}</dd>
      <For each={props.model.properties}>{(one) => <><dt>{one.name.replace(/ as the device says it$/, '')}</dt><dd>{one.value}</dd></>}</For>
    </dl>
  </section>
);

const Parts: Component<{ parts: DevicePart[] }> = (props) => (
  <section class="stack">
    <h3>What it is made of, and measures</h3>
    <ul class="parts-tree">
      <For each={props.parts}>
        {(part) => (
          <li style={{ 'margin-left': `${part.level * 16}px` }}>
            <p><b>{part.name}</b> <span class="mono muted">{part.code}</span></p>
            <Show when={part.metrics.length}>
              <ul class="metrics">
                <For each={part.metrics}>
                  {(m) => <li>{m.name}{m.unit && m.unit !== '1' ? `, ${m.unit}` : ''} <span class="mono muted">{m.metric}</span><Show when={m.calibration}>{(state) => <span class="chip">{state()}{m.calibrated ? ` ${m.calibrated.slice(0, 10)}` : ''}</span>}</Show></li>}
                </For>
              </ul>
            </Show>
          </li>
        )}
      </For>
    </ul>
  </section>
);
