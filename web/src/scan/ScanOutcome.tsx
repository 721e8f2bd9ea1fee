// What came of a scan: done, or what stands in the way and what to do about it.
import { createSignal, For, onMount, Show, type Component } from 'solid-js';
import type { ScanResult } from '../api/types';
import { mayGoOn, whatToDo } from './scan.state';

interface Props { result: ScanResult; busy: boolean; onAccept: (codes: string[]) => void; onNext: () => void; onAgain: () => void }

export const ScanOutcome: Component<Props> = (props) => (
  <Show when={props.result.associated} fallback={<Refused {...props} />}>
    <Done {...props} />
  </Show>
);

const Who: Component<{ result: ScanResult }> = (props) => (
  <Show when={props.result.patient}>
    {(p) => <p><b>{p().name || 'Name unknown'}</b> <span class="muted">{p().age_years ?? '–'} y · {p().sex} · MRN {p().mrn}</span></p>}
  </Show>
);

const Done: Component<Props> = (props) => {
  let next!: HTMLButtonElement;
  onMount(() => next.focus());
  return (
    <div class="outcome done" role="status">
      <p class="big">✓ <span class="mono">{props.result.device}</span> is on the patient now.</p>
      <Who result={props.result} />
      <p class="small muted">Agree with the record: {props.result.agree.join(', ')}.</p>
      <div class="row">
        <button ref={next} type="button" class="btn primary" onClick={() => props.onNext()}>Next device, same patient</button>
        <button type="button" class="btn" onClick={() => props.onAgain()}>Next patient</button>
      </div>
    </div>
  );
};

const Refused: Component<Props> = (props) => {
  let box!: HTMLDivElement;
  onMount(() => box.scrollIntoView({ block: 'end' }));
  const [looked, setLooked] = createSignal<string[]>([]);
  const toggle = (code: string, on: boolean) => setLooked((list) => (on ? [...list, code] : list.filter((known) => known !== code)));
  return (
    <div ref={box} class="outcome refused" role="alert">
      <p class="big">Not done. Nothing was changed.</p>
      <Who result={props.result} />
      <ul class="conflicts">
        <For each={props.result.conflicts}>
          {(conflict) => (
            <li>
              <p><b>{sentence(conflict.text)}</b></p>
              <p class="small">{whatToDo(conflict.code)}</p>
              <Show when={conflict.may_be_accepted}>
                <label class="row small"><input type="checkbox" checked={looked().includes(conflict.code)} onChange={(e) => toggle(conflict.code, e.currentTarget.checked)} /> I have looked: it is right</label>
              </Show>
            </li>
          )}
        </For>
      </ul>
      <Show when={props.result.conflicts.every((c) => c.may_be_accepted)}>
        <div><button type="button" class="btn primary" disabled={props.busy || !mayGoOn(props.result, looked())} onClick={() => props.onAccept(looked())}>Put it on the patient all the same</button></div>
      </Show>
    </div>
  );
};

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
