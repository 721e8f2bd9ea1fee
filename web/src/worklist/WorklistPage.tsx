// Who needs a look next, and why. The order settles only while nobody points at the list or works in it.
import { createEffect, createSignal, For, on, Show, type Component } from 'solid-js';
import { isLive } from '../live/store';
import { useWorklist } from './worklist.state';
import { WorklistRow } from './WorklistRow';
import './worklist.css';

const WorklistPage: Component<{ params: Record<string, string> }> = () => {
  const [unit, setUnit] = createSignal('');
  const model = useWorklist(unit);
  createEffect(on(unit, () => void model.reload()));
  let list: HTMLOListElement | undefined;
  const left = (event: FocusEvent) => { if (!list?.contains(event.relatedTarget as Node | null)) model.hold('focus', false); };
  return (
    <div class="page worklist-page" classList={{ 'not-live': !isLive() }}>
      <div class="page-head">
        <h1>Worklist</h1>
        <span class="grow" />
        <label class="row small">Unit
          <select onChange={(e) => setUnit(e.currentTarget.value)}>
            <option value="">All</option>
            <For each={model.units()}>{(name) => <option value={name}>{name}</option>}</For>
          </select>
        </label>
      </div>
      <p class="muted small">Where to look first, by risk, trends, scores, alerts and time unseen. It is advice: it raises no alert and orders nothing.</p>
      <Show when={model.error()}><p class="error" role="alert">{model.error()}</p></Show>
      <p class="sr-only" role="status">{model.said()}</p>
      <p class="order-waits" aria-live="polite">
        <Show when={model.waiting()}>The order has changed. <button type="button" class="btn small" onClick={() => model.settle()}>Sort now</button></Show>
      </p>
      <Show when={model.loaded()} fallback={<Show when={!model.error()}><p class="empty" role="status">Loading the worklist…</p></Show>}>
        <ol class="worklist" ref={list} aria-label="Patients, the one to look at first on top"
          onPointerEnter={(e) => e.pointerType === 'mouse' && model.hold('pointer', true)} onPointerLeave={() => model.hold('pointer', false)}
          onFocusIn={() => model.hold('focus', true)} onFocusOut={left}>
          <For each={model.order()} fallback={<li class="empty">Nobody is on the ward.</li>}>
            {(id, at) => <Show when={model.lines[id]}>{(line) => <WorklistRow line={line()} place={at() + 1} onChange={() => undefined} />}</Show>}
          </For>
        </ol>
      </Show>
    </div>
  );
};
export default WorklistPage;
