// Alarm limits in force, and changing them for this patient with a reason (AL-5).
import { createMemo, createSignal, For, Show, type Component } from 'solid-js';
import { api } from '../api/client';
import type { MetricLimits, PatientPage, SeriesView } from '../api/types';
import { may } from '../session/session';
import { attempt } from '../ui/toast';
import { Dialog } from '../ui/Dialog';
import { pretty } from '../ui/format';
import { sourceText } from './ownNormal.state';

const CATEGORIES = new Set(['vital', 'gas', 'ventilation', 'glucose']);
const bound = (v: number | null | undefined) => (v == null ? '–' : String(v));

interface Row { series: SeriesView; limits: MetricLimits | undefined }

export const LimitsCard: Component<{ patient: string; page: PatientPage; onChange: () => void }> = (props) => {
  const [editing, setEditing] = createSignal<Row | null>(null);
  const rows = createMemo<Row[]>(() => {
    const seen = new Set<string>();
    return props.page.series
      .filter((s) => CATEGORIES.has(s.category) && !s.metric.startsWith('VW_') && !seen.has(s.metric) && seen.add(s.metric))
      .map((series) => ({ series, limits: props.page.limits.find((l) => l.metric === series.metric) }));
  });
  return (
    <section class="card" aria-labelledby="limits-title">
      <header><h2 id="limits-title">Alarm limits</h2></header>
      <table class="table middle">
        <thead><tr><th scope="col">Metric</th><th scope="col" class="num">Below</th><th scope="col" class="num">Above</th><th scope="col"><span class="sr-only">Change</span></th></tr></thead>
        <tbody>
          <For each={rows()}>
            {(row) => (
              <tr>
                <th scope="row">{pretty(row.series.label)} <span class="muted small">{row.series.unit}</span></th>
                <td class="num">{bound(row.limits?.low)}</td>
                <td class="num">{bound(row.limits?.high)}</td>
                <td class="num"><Show when={row.limits && row.limits.source !== 'policy'}><span class="chip" title={row.limits?.reason}>{sourceText(row.limits?.source ?? '')}</span> </Show>
                  <Show when={may('set-limits')}><button type="button" class="btn small quiet" onClick={() => setEditing(row)}>Edit<span class="sr-only"> {row.series.name}</span></button></Show></td>
              </tr>
            )}
          </For>
        </tbody>
      </table>
      <Show when={editing()}>
        {(row) => <LimitsDialog row={row()} patient={props.patient} onClose={() => setEditing(null)} onDone={props.onChange} />}
      </Show>
    </section>
  );
};

const LimitsDialog: Component<{ row: Row; patient: string; onClose: () => void; onDone: () => void }> = (props) => {
  const [error, setError] = createSignal('');
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const read = (name: string) => (data.get(name) === '' ? null : Number(data.get(name)));
    const low = read('low'), high = read('high');
    if (low != null && high != null && low >= high) return setError('The lower limit must be below the upper one.');
    const limits = { metric: props.row.series.metric, low, high, source: 'patient', reason: String(data.get('reason')) };
    const done = await attempt(() => api.setLimits(props.patient, limits).then(() => true), `Limits of ${props.row.series.name.toLowerCase()} changed`);
    if (done) { props.onDone(); props.onClose(); }
  };
  return (
    <Dialog title={`Limits: ${props.row.series.name}`} onClose={props.onClose}>
      <form class="stack" onSubmit={(e) => void submit(e)}>
        <div class="row">
          <label class="field">Alarm below ({props.row.series.unit})<input name="low" type="number" step="any" value={props.row.limits?.low ?? ''} /></label>
          <label class="field">Alarm above ({props.row.series.unit})<input name="high" type="number" step="any" value={props.row.limits?.high ?? ''} /></label>
        </div>
        <p class="muted small">An empty field means no alarm on that side.</p>
        <label class="field">Reason (kept with the decision)<input name="reason" required autocomplete="off" /></label>
        <Show when={error()}><p class="error" role="alert">{error()}</p></Show>
        <div class="dialog-foot"><button type="button" class="btn" onClick={() => props.onClose()}>Cancel</button><button class="btn primary">Set limits</button></div>
      </form>
    </Dialog>
  );
};
