// Versions of the alarm policy: what was proposed, approved, put in force, refused.
import { createResource, For, Show, type Component } from 'solid-js';
import { dateTime, sentence } from '../ui/format';
import { LabFrame } from './LabFrame';
import { lab } from './laboratory.api';
import { changeWords, STATE_WORD } from './versions.state';

const VersionsPage: Component<{ params: Record<string, string> }> = () => {
  const [versions] = createResource(lab.versions);
  return (
    <LabFrame at="versions">
      <p class="lab-lead">One person proposes a policy that was tried, another approves it, and somebody puts it in force. Each approved version is signed with the key of the house. What cannot wait is put in force by one person with a reason, and reviewed later.</p>
      <Show when={versions.error as Error | undefined}>{(error) => <p class="error" role="alert">{sentence(error().message)}</p>}</Show>
      <Show when={!versions.error && versions.latest} fallback={<Show when={!versions.error}><p class="empty" role="status">Loading…</p></Show>}>
        {(list) => (
          <section class="card" aria-label="Versions">
            <div class="scroll" tabindex="0" role="region" aria-label="Table of versions">
              <table class="table fold">
                <thead><tr><th scope="col">Version</th><th scope="col">State</th><th scope="col">Against the policy in force</th><th scope="col">Proposed</th><th scope="col">Approved</th></tr></thead>
                <tbody>
                  <For each={list()} fallback={<tr><td colspan="5" class="empty">No version yet. <a href="/laboratory">Try a change</a>, then propose it.</td></tr>}>
                    {(view) => (
                      <tr>
                        <th scope="row"><a href={`/laboratory/versions/${view.version.number}`}>{view.version.number}: {view.version.title}</a></th>
                        <td data-label="State"><span class={`lab-state ${view.state}`}>{STATE_WORD[view.state] ?? view.state}</span></td>
                        <td data-label="Changes">{(view.version.changed ?? []).map(changeWords).join('; ') || 'the same numbers'}{view.version.more ? '; and more' : ''}</td>
                        <td data-label="Proposed">{view.version.proposed_by}, {dateTime(view.version.proposed_ms)}</td>
                        <td data-label="Approved" classList={{ nothing: !view.version.approved_by }}>{view.version.approved_ms ? `${view.version.approved_by}, ${dateTime(view.version.approved_ms)}` : '–'}</td>
                      </tr>
                    )}
                  </For>
                </tbody>
              </table>
            </div>
          </section>
        )}
      </Show>
    </LabFrame>
  );
};
export default VersionsPage;
