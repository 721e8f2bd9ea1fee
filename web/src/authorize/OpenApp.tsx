// Applications that can be opened for a patient (EHR launch).
import { createResource, For, Show, type Component } from 'solid-js';
import { call, url } from '../api/client';
import type { Launch, Launchable } from '../api/types';
import { currentSession } from '../session/session';
import { attempt } from '../ui/toast';

export const OpenApp: Component<{ patient: string }> = (props) => {
  const [apps] = createResource(async () => {
    const who = currentSession();
    return who && !who.open ? call<Launchable[]>('GET', url('/launches')).catch(() => []) : [];
  });
  const open = (client: string) => attempt(async () => {
    const launch = await call<Launch>('POST', url(`/patients/${encodeURIComponent(props.patient)}/launch`), { client });
    // Its own window, which can't reach back into this one.
    window.open(launch.url, '_blank', 'noopener,noreferrer');
  });
  return (
    <Show when={apps()?.length}>
      <span class="open-apps" role="group" aria-label="Applications for this patient">
        <For each={apps()}>{(app) => <button type="button" class="btn small" onClick={() => void open(app.client)}>Open {app.name}</button>}</For>
      </span>
    </Show>
  );
};
