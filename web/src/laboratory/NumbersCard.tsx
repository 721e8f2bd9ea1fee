// The policy's numbers as a list to search and choose from.
import { createMemo, createSignal, For, type Component } from 'solid-js';
import { plural } from '../ui/format';
import type { Parameter } from './laboratory.api';
import { belongsTo, findNumbers, numberWords, valueWords } from './numbers.state';

export const NumbersCard: Component<{ numbers: Parameter[]; chosen: string[]; onToggle: (parameter: Parameter) => void }> = (props) => {
  const [question, setQuestion] = createSignal('');
  const [unset, setUnset] = createSignal(false);
  const found = createMemo(() => findNumbers(props.numbers, question(), unset()));
  const chosen = (p: Parameter) => props.chosen.includes(p.path);
  return (
    <section class="card" aria-labelledby="numbers-title">
      <header>
        <h2 id="numbers-title">2. What to change</h2>
        <span class="grow" />
        <span class="small muted" role="status">{plural(found().length, 'number')}</span>
      </header>
      <div class="body stack">
        <input class="input" type="search" aria-label="Search the policy’s numbers" placeholder="Search: saturation, NEWS2, charge nurse …" value={question()} onInput={(e) => setQuestion(e.currentTarget.value)} />
        <label class="check small"><input type="checkbox" checked={unset()} onChange={(e) => setUnset(e.currentTarget.checked)} /> Also numbers that the policy does not set</label>
        <ul class="lab-numbers" aria-label="Numbers of the policy">
          <For each={found()} fallback={<li class="empty">No number fits. Try fewer words, or look among those that the policy does not set.</li>}>
            {(p) => (
              <li classList={{ chosen: chosen(p) }}>
                <span class="lab-number"><b>{belongsTo(p)}</b> <span>{numberWords(p)}</span></span>
                <span class="nowrap" classList={{ muted: p.value == null }}>{valueWords(p.value, p.unit)}</span>
                <button type="button" class="btn small" aria-pressed={chosen(p)} onClick={() => props.onToggle(p)}>{chosen(p) ? 'Chosen' : 'Change'}<span class="sr-only"> {belongsTo(p)}: {numberWords(p)}</span></button>
              </li>
            )}
          </For>
        </ul>
      </div>
    </section>
  );
};
