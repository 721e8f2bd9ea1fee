// Short messages about what was done or failed; read out by screen readers.
import { createSignal, For, type Component } from 'solid-js';

interface Toast { id: number; text: string; bad: boolean }

const [toasts, setToasts] = createSignal<Toast[]>([]);
let counter = 0;

export function toast(text: string, bad = false): void {
  const id = ++counter;
  setToasts((list) => [...list.slice(-2), { id, text, bad }]);
  window.setTimeout(() => dismiss(id), bad ? 12_000 : 5_000);
}

const dismiss = (id: number) => setToasts((list) => list.filter((t) => t.id !== id));

/** Runs `work`; says `done` when it worked and the error's own text when it did not. */
export async function attempt<T>(work: () => Promise<T>, done?: string | ((result: T) => string)): Promise<T | undefined> {
  try {
    const result = await work();
    if (done) toast(typeof done === 'string' ? done : done(result));
    return result;
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error), true);
    return undefined;
  }
}

export const Toasts: Component = () => (
  <div class="toasts" role="status" aria-live="polite">
    <For each={toasts()}>
      {(t) => (
        <div class="toast" classList={{ bad: t.bad }}>
          <span>{t.text}</span>
          <button type="button" aria-label="Dismiss" onClick={() => dismiss(t.id)}>✕</button>
        </div>
      )}
    </For>
  </div>
);
