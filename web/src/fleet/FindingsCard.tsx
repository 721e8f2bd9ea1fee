// Habits that devices broke, with what is usual for them and what was seen.
import { createResource, For, Show, type Component } from 'solid-js';
import { dateTime } from '../ui/format';
import { fleet } from './fleet.api';
import { repeat } from '../ui/repeat';
import { BREAK_WORD } from './fleet.state';

export const FindingsCard: Component = () => {
  const [found, { refetch }] = createResource(fleet.findings);
  repeat(refetch, 30_000);
  return (
    <section class="card" aria-label="Broken habits">
      <Show when={found.error as Error | undefined}>{(error) => <p class="error" role="alert">{error().message}</p>}</Show>
      <ul class="fleet-list">
        <For each={found.latest ?? []} fallback={<li class="empty">{found.loading ? 'Loading…' : 'Every device keeps to its habits.'}</li>}>
          {(f) => (
            <li>
              <p><b class="mono">{f.device}</b> {BREAK_WORD[f.kind] ?? f.kind}</p>
              <p class="small">Usual: {f.usual}. Seen: {f.seen}.</p>
              <p class="small muted">{dateTime(f.at_ms)}</p>
            </li>
          )}
        </For>
      </ul>
    </section>
  );
};
