// The comparison in plain words; a sign and a word say better or worse, colour only joins in.
import { For, Show, type Component } from 'solid-js';
import type { Line, Tone } from './comparison.state';

const SIGN: Record<Tone, string> = { better: '✓', worse: '!', same: '=', unknown: '?' };
const WORD: Record<Tone, string> = { better: 'Better', worse: 'Worse', same: 'Same', unknown: 'Not known' };

export const PlainWords: Component<{ lines: Line[] }> = (props) => (
  <ul class="lab-words" aria-label="In short">
    <For each={props.lines}>
      {(line) => (
        <li class={line.tone}>
          <span class="lab-sign"><span aria-hidden="true">{SIGN[line.tone]}</span> {WORD[line.tone]}</span>
          <span><b>{line.text}</b><Show when={line.note}> <span class="muted">{line.note}</span></Show></span>
        </li>
      )}
    </For>
  </ul>
);
