// How busy the doors are (DU-3), and what was refused, quarantined, thinned or late (DU-2).
import { For, Show, type Component } from 'solid-js';
import type { Load } from '../api/types';

export const LoadPanel: Component<{ load: Load }> = (props) => {
  const l = () => props.load;
  const fill = () => Math.round(l().queue_fill * 100);
  return (
    <section class="card load" aria-label="Load">
      <dl>
        <div><dt>Messages a second</dt><dd>{l().messages_per_s.toFixed(l().messages_per_s < 100 ? 1 : 0)}</dd></div>
        <div>
          <dt>Queue to the journal</dt>
          <dd><meter min="0" max="1" high="0.7" optimum="0" value={l().queue_fill} aria-label="Queue fill" /> {fill()} %</dd>
        </div>
        <div><dt>Senders</dt><dd classList={{ bad: l().slowed }}>{l().slowed ? 'being slowed' : 'at full speed'}</dd></div>
        <div><dt>Not yet judged</dt><dd>{l().behind}</dd></div>
        <For each={l().connections}>{([protocol, n]) => <div><dt>{protocol.toUpperCase()} connections</dt><dd>{n}</dd></div>}</For>
      </dl>
      <Show when={l().counted.some(([, n]) => n > 0)}>
        <p class="counted"><span class="muted">Counted since the start:</span> <For each={l().counted.filter(([, n]) => n > 0)}>{([reason, n]) => <span class="chip">{reason} <b>{n}</b></span>}</For></p>
      </Show>
    </section>
  );
};
