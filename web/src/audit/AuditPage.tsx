// The audit log: who did what to whom, when, and how it went.
import { createEffect, createSignal, For, on, Show, type Component } from 'solid-js';
import { dateSecond, plural } from '../ui/format';
import { attempt } from '../ui/toast';
import { ROLE_WORD } from '../privacy/words';
import { AuditDetail } from './AuditDetail';
import { AuditFilters } from './AuditFilters';
import { audit, type AuditAnswer, type AuditRow, type Filters } from './audit.api';
import { about, deed, NOTHING, OUTCOME_WORD } from './audit.state';
import './audit.css';

const AuditPage: Component<{ params: Record<string, string> }> = () => {
  const [filters, setFilters] = createSignal<Filters>(NOTHING);
  const [answer, setAnswer] = createSignal<AuditAnswer | null>(null);
  const [picked, setPicked] = createSignal<AuditRow | null>(null);
  const [error, setError] = createSignal('');
  const load = () => audit.search(filters()).then((a) => { setAnswer(a); setError(''); }, (e: Error) => setError(e.message));
  createEffect(on(filters, () => { setPicked(null); void load(); }));
  const older = async () => {
    const next = answer()?.next;
    const page = next && (await attempt(() => audit.search(filters(), next)));
    if (page) setAnswer((a) => ({ ...page, rows: [...(a?.rows ?? []), ...page.rows] }));
  };
  const count = () => { const n = answer()?.total ?? 0; return n >= 10_000 ? '10,000 records or more' : plural(n, 'record'); };
  return (
    <div class="page audit-page">
      <div class="page-head">
        <h1>Audit log</h1>
        <span class="muted" role="status">{answer() ? count() : 'Loading…'}</span>
        <span class="grow" />
        <button type="button" class="btn" onClick={() => void load()}>Look again</button>
        <a class="btn" href={audit.table(filters())} download="audit.csv">Export as CSV</a>
      </div>
      <AuditFilters filters={filters()} onChange={setFilters} />
      <Show when={error()}><p class="error" role="alert">{error()}</p></Show>
      <div class="audit-columns" classList={{ detail: !!picked() }}>
        <section class="card scroll" aria-label="Records">
          <Show when={answer()?.rows.length} fallback={<p class="empty">{answer() ? 'No record fits.' : 'Loading…'}</p>}>
            <table class="table fold middle audit-table">
              <thead><tr><th scope="col">Time</th><th scope="col">Who</th><th scope="col">What</th><th scope="col">About</th><th scope="col">How it went</th></tr></thead>
              <tbody>
                <For each={answer()?.rows}>
                  {(row) => (
                    <tr classList={{ picked: picked()?.n === row.n, denied: row.outcome !== 'allowed' }}>
                      <td class="nowrap"><button type="button" class="audit-open" aria-label={`${dateSecond(row.at_ms)}, record ${row.n}`} onClick={() => setPicked(row)}>{dateSecond(row.at_ms)}</button></td>
                      <td>{row.actor}<Show when={row.role}>{(role) => <span class="muted small"> {ROLE_WORD[role()] ?? role()}</span>}</Show></td>
                      <td>{deed(row)}</td>
                      <td class="mono" classList={{ nothing: !about(row) }} data-label="About">{about(row)}</td>
                      <td><span class="chip">{OUTCOME_WORD[row.outcome] ?? row.outcome}</span></td>
                    </tr>
                  )}
                </For>
              </tbody>
            </table>
          </Show>
          <Show when={answer()?.next}><div class="body"><button type="button" class="btn" onClick={() => void older()}>Older</button></div></Show>
        </section>
        <Show when={picked()} keyed>{(row) => <AuditDetail row={row} signed={answer()?.signed ?? 0} onClose={() => setPicked(null)} />}</Show>
      </div>
    </div>
  );
};
export default AuditPage;
