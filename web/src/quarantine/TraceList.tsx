// Reading a message step by step.
import { For, type Component } from 'solid-js';
import type { TraceStep } from '../api/types';

/** A profile that is not meant for the message: neither a success nor a failure. */
const aside = (s: TraceStep) => s.ok && s.step === 'not matched';

export const TraceList: Component<{ trace: TraceStep[] }> = (props) => (
  <ol class="trace">
    <For each={props.trace} fallback={<li class="muted">no step</li>}>
      {(s) => (
        <li classList={{ ok: s.ok && !aside(s), failed: !s.ok }}>
          <span class="trace-sign"><span aria-hidden="true">{aside(s) ? '–' : s.ok ? '✓' : '✗'}</span><span class="sr-only">{aside(s) ? 'passed over' : s.ok ? 'worked' : 'failed'}</span></span>
          <span class="trace-step">{s.step}</span>
          <span class="mono">{s.detail}</span>
        </li>
      )}
    </For>
  </ol>
);
