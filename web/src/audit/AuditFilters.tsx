// What to look for, in plain words.
import { For, type Component } from 'solid-js';
import type { Filters } from './audit.api';
import { DEEDS, NOTHING } from './audit.state';

interface Props {
  filters: Filters;
  onChange: (filters: Filters) => void;
}

export const AuditFilters: Component<Props> = (props) => {
  const set = (name: keyof Filters) => (e: { currentTarget: { value: string } }) => props.onChange({ ...props.filters, [name]: e.currentTarget.value });
  return (
    <form class="card audit-filters" role="search" aria-label="Audit log" onSubmit={(e) => e.preventDefault()}>
      <label class="field">Who<input class="input" value={props.filters.actor} placeholder="account or device" autocomplete="off" onChange={set('actor')} /></label>
      <label class="field">Which patient<input class="input" value={props.filters.patient} placeholder="id, such as p-…" autocomplete="off" onChange={set('patient')} /></label>
      <label class="field">What
        <select value={props.filters.action} onChange={set('action')}><For each={DEEDS}>{([name, actions]) => <option value={actions}>{name}</option>}</For></select>
      </label>
      <label class="field">How it went
        <select value={props.filters.outcome} onChange={set('outcome')}>
          <option value="">Either way</option><option value="allowed">Allowed</option><option value="denied">Refused</option><option value="failed">Failed</option>
        </select>
      </label>
      <label class="field">From day<input class="input" type="date" value={props.filters.from} onChange={set('from')} /></label>
      <label class="field">To day<input class="input" type="date" value={props.filters.until} onChange={set('until')} /></label>
      <button type="button" class="btn" onClick={() => props.onChange(NOTHING)}>Clear</button>
    </form>
  );
};
