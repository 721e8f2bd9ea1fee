// Says that the policy in force is one that only one person looked at.
import { createResource, Show, type Component } from 'solid-js';
import { dateTime } from '../ui/format';
import { repeat } from '../ui/repeat';
import { lab } from './laboratory.api';

const REFRESH_MS = 60_000;

/** `state` is that of the version that is looked at, if one is: when it changes this may, too. */
export const Unreviewed: Component<{ state?: string }> = (props) => {
  const [versions, { refetch }] = createResource(() => props.state ?? 'none', () => lab.versions());
  repeat(() => (versions.loading ? undefined : refetch()), REFRESH_MS);
  const one = () => (versions.error ? undefined : versions.latest?.find((view) => view.state === 'unreviewed')?.version);
  return (
    <Show when={one()}>
      {(v) => (
        <p class="lab-caution" role="note">
          ⚠ The alarm policy was put in force by one person, not reviewed: {v().emergency?.by}, {dateTime(v().emergency?.at_ms ?? 0)}. <a href={`/laboratory/versions/${v().number}`}>Look at version {v().number}</a>: somebody else approves it or takes it back.
        </p>
      )}
    </Show>
  );
};
