// What is usual for this patient, which limits follow it, what was decided about it, and what changed.
import { createSignal, For, Show, type Component } from 'solid-js';
import type { OwnNormal } from '../api/types';
import { may } from '../session/session';
import { dateTime } from '../ui/format';
import { OwnNormalDialog } from './OwnNormalDialog';
import { movingText, rangeText, stateText, usualText, type OwnNormalModel } from './ownNormal.state';

export const OwnNormalCard: Component<{ patient: string; model: OwnNormalModel; onChange: () => void }> = (props) => {
  const [deciding, setDeciding] = createSignal<OwnNormal | null>(null);
  const normals = () => props.model.all()?.normals ?? [];
  const changes = () => props.model.all()?.changes ?? [];
  return (
    <Show when={normals().length || changes().length}>
      <section class="card" aria-labelledby="normal-title">
        <header><h2 id="normal-title">Own normal</h2></header>
        <table class="table middle normals">
          <thead><tr><th scope="col">Metric</th><th scope="col" class="num">Usual</th><th scope="col">State</th><th scope="col"><span class="sr-only">Decide</span></th></tr></thead>
          <tbody>
            <For each={normals()}>
              {(normal) => (
                <tr>
                  <th scope="row">{normal.name} <span class="muted small">{normal.unit}</span></th>
                  <td class="num"><For each={(usualText(normal) || '–').split(' ')}>{(part) => <><span class="nowrap">{part}</span> </>}</For></td>
                  <td class="small"><span title={normal.reason}>{stateText(normal)}</span><Show when={movingText(normal)}>{(text) => <><br /><strong>{text()}</strong></>}</Show></td>
                  <td class="num"><Show when={may('set-limits')}><button type="button" class="btn small quiet" onClick={() => setDeciding(normal)}>Decide<span class="sr-only"> about {normal.name}</span></button></Show></td>
                </tr>
              )}
            </For>
          </tbody>
        </table>
        <Show when={changes().length}>
          <details class="body normal-history">
            <summary>{changes().length === 1 ? '1 change' : `${changes().length} changes`}</summary>
            <ol class="plain-list">
              <For each={changes()}>
                {(change) => <li class="small"><span class="muted">{dateTime(change.at_ms)}</span> {change.name} <strong>{change.event}</strong>: limits {rangeText(change)}, by {change.by}. {change.why}</li>}
              </For>
            </ol>
          </details>
        </Show>
        <Show when={deciding()}>
          {(normal) => <OwnNormalDialog normal={normal()} patient={props.patient} onClose={() => setDeciding(null)} onDone={(next) => { props.model.take(next); props.onChange(); }} />}
        </Show>
      </section>
    </Show>
  );
};
