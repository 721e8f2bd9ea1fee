// Reading a message step by step.
import { For, type Component } from 'solid-js';
import type { TraceStep } from '../api/types';

export const TraceList: Component<{ trace: TraceStep[] }> = (props) => (
  <ol class="trace">
    <For each={props.trace} fallback={<li class="muted">no step</li>}>
      {(s) => (
        <li classList={{ ok: s.ok, failed: !s.ok }}>
          <span class="trace-sign"><span aria-hidden="true">{s.ok ? '✓' : '✗'}</span><span class="sr-only">{s.ok ? 'worked' : 'failed'}</span></span>
          <span class="trace-step">{s.step}</span>
          <span class="mono">{s.detail}</span>
        </li>
      )}
    </For>
  </ol>
);
