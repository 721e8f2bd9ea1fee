// The messages, newest first; arrow keys go from one to the next.
import { For, Show, type Component } from 'solid-js';
import type { QuarantineItem } from '../api/types';
import { nowCoarseMs } from '../live/clock';
import { bytes, plural, when } from '../ui/format';

export const QuarantineList: Component<{ items: QuarantineItem[]; picked: number; state: string }> = (props) => {
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const links = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('a.q-link')];
    event.preventDefault();
    links[links.indexOf(document.activeElement as HTMLElement) + step]?.focus();
  };
  return (
    <ul class="q-list" onKeyDown={onKeyDown}>
      <For each={props.items} fallback={<li class="empty">{props.state === 'new' ? 'Everything that arrived was understood.' : 'Nothing here.'}</li>}>
        {(item) => (
          <li classList={{ picked: item.offset === props.picked }}>
            <a class="q-link" href={`/quarantine/${item.offset}`} aria-current={item.offset === props.picked ? 'true' : undefined}>
              <span class="q-top"><span class="q-address mono">{item.address}</span><span class="muted small nowrap">{when(item.received_ms, nowCoarseMs())}</span></span>
              <span class="q-problem">
                <For each={item.problems.slice(0, 2)}>{(p) => <span><b>{p.kind}</b> <Show when={p.path}><span class="mono">{p.path}</span> </Show><span>{p.detail}</span></span>}</For>
                <Show when={item.problems.length > 2}><span class="muted">and {plural(item.problems.length - 2, 'more problem')}</span></Show>
              </span>
              <span class="muted small">{item.protocol} · {item.sender} · {bytes(item.size)}{item.understood ? ` · ${plural(item.understood, 'value')} understood` : ''}{props.state === 'all' || item.state !== 'new' ? ` · ${item.state}` : ''}</span>
            </a>
          </li>
        )}
      </For>
    </ul>
  );
};
