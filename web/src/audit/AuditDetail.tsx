// One record, and whether its place in the log is proved.
import { createResource, For, Show, type Component } from 'solid-js';
import { exactTime } from '../ui/format';
import { repeat } from '../ui/repeat';
import { audit, type AuditRow } from './audit.api';
import { deed, facts, OUTCOME_WORD } from './audit.state';

const ASKED_AGAIN_MS = 1_500;

export const AuditDetail: Component<{ row: AuditRow; signed: number; onClose: () => void }> = (props) => {
  const [proof, { refetch }] = createResource(() => props.row.n, (n) => audit.proof(n).catch(() => null));
  // A head is signed about every second.
  repeat(() => (proof.loading || proof() ? undefined : refetch()), ASKED_AGAIN_MS);
  return (
    <section class="card audit-detail" aria-label={`Record ${props.row.n}`}>
      <header>
        <h2>Record {props.row.n}</h2>
        <span class="grow" />
        <button type="button" class="btn small" onClick={() => props.onClose()}>Close</button>
      </header>
      <div class="body stack">
        <p><b>{props.row.actor}</b> {deed(props.row)} · {OUTCOME_WORD[props.row.outcome] ?? props.row.outcome} · {exactTime(props.row.at_ms)}</p>
        <dl class="facts"><For each={facts(props.row)}>{([name, value]) => <><dt>{name}</dt><dd>{value}</dd></>}</For></dl>
        <div role="status">
          <Show when={!proof.loading} fallback={<p class="muted">Proving…</p>}>
            <Show when={proof()} fallback={<p class="muted">Not under a signed head yet; that takes about a second.</p>}>
              {(p) => (
                <>
                  <p class="audit-proof" classList={{ bad: !p().holds }}>{p().holds ? '✓ Proved: this record is in the signed log, unchanged.' : '✕ The proof does not hold: this record or the log was changed.'}</p>
                  <details>
                    <summary>Proof, to be checked with any RFC 6962 tool</summary>
                    <pre class="payload" tabindex="0">{JSON.stringify({ record: p().record, index: p().index, path: p().path, head: p().head }, null, 2)}</pre>
                    <p class="small muted">Public key: <span class="mono audit-key">{p().key}</span></p>
                  </details>
                </>
              )}
            </Show>
          </Show>
        </div>
      </div>
    </section>
  );
};
