// Habits that devices broke, with what is usual for them and what was seen.
import { createResource, For, onCleanup, Show, type Component } from 'solid-js';
import { exactTime } from '../ui/format';
import { fleet } from './fleet.api';
import { BREAK_WORD } from './fleet.state';

export const FindingsCard: Component = () => {
  const [found, { refetch }] = createResource(fleet.findings);
  const timer = window.setInterval(() => void refetch(), 10_000);
  onCleanup(() => window.clearInterval(timer));
  return (
    <section class="card" aria-label="Broken habits">
      <Show when={found.error as Error | undefined}>{(error) => <p class="error" role="alert">{error().message}</p>}</Show>
      <ul class="fleet-list">
        <For each={found.latest ?? []} fallback={<li class="empty">{found.loading ? 'Loading…' : 'Every device keeps to its habits.'}</li>}>
          {(f) => (
            <li>
              <p><b class="mono">{f.device}</b> {BREAK_WORD[f.kind] ?? f.kind}</p>
              <p class="small">Usual: {f.usual}. Seen: {f.seen}.</p>
              <p class="small muted">{exactTime(f.at_ms)}</p>
            </li>
          )}
        </For>
      </ul>
    </section>
  );
};
