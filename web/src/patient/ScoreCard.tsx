// The early-warning score broken down: every parameter, its points, and what is missing or too old.
import { createSignal, For, Show, type Component } from 'solid-js';
import { api } from '../api/client';
import type { ScoreView, Tile } from '../api/types';
import { may } from '../session/session';
import { showSource } from '../source/source.state';
import { attempt } from '../ui/toast';
import { Dialog } from '../ui/Dialog';
import { number, pretty } from '../ui/format';
import { ScoreBadge } from '../ward/ScoreBadge';

const STATE_WORD: Record<string, string> = { used: '', missing: 'missing', aged: 'too old, left out', undecided: 'depends on another that is missing' };

/** The parameters of a score as table rows; a value leads to its source. */
export const PartsTable: Component<{ score: ScoreView; tile: Tile | undefined }> = (props) => {
  const value = (metric: string) => props.tile?.values.find((v) => v.metric === metric);
  return (
    <table class="table parts">
      <thead><tr><th scope="col">Parameter</th><th scope="col" class="num">Value</th><th scope="col" class="num">Points</th></tr></thead>
      <tbody>
        <For each={props.score.parts}>
          {(part) => {
            const v = () => value(part.metric);
            const text = () => (part.value == null ? '–' : v()?.text && v()?.value === part.value ? v()!.text : `${number(part.value, v()?.decimals ?? (part.value % 1 ? 1 : 0))} ${v()?.unit === '1' ? '' : (v()?.unit ?? '')}`);
            return (
              <tr classList={{ left: part.state !== 'used' }}>
                <th scope="row">{pretty(part.label)}<Show when={STATE_WORD[part.state]}>{(w) => <span class="part-state"> {w()}</span>}</Show></th>
                <td class="num">
                  <Show when={v()} fallback={text()}>{(c) => <button type="button" class="link-source" onClick={() => showSource(c().reading)}>{text()}</button>}</Show>
                </td>
                <td class="num"><Show when={part.points != null} fallback={<span class="muted">–</span>}><span class={`pts p${Math.min(part.points ?? 0, 3)}`}>{part.points}</span></Show></td>
              </tr>
            );
          }}
        </For>
      </tbody>
    </table>
  );
};

interface ScoreCardProps { score: ScoreView; patient: string; scale: number; tile: Tile | undefined; onChange: () => void }

export const ScoreCard: Component<ScoreCardProps> = (props) => {
  const [asking, setAsking] = createSignal<number | null>(null);
  return (
    <section class="card" aria-labelledby="score-title">
      <header><h2 id="score-title">{props.score.name}</h2><span class="grow" /><ScoreBadge score={props.score} /></header>
      <div class="body stack">
        <Show when={props.score.response}><p class={`response band-${props.score.band}`}>{props.score.response}</p></Show>
        <Show when={!props.score.complete}><p class="small"><strong>Incomplete:</strong> a parameter is missing or too old, so the total is a lower bound.</p></Show>
        <PartsTable score={props.score} tile={props.tile} />
        <Show when={props.score.name === 'NEWS2'}>
          <div class="row">
            <span class="small" id="scale-label">SpO₂ scale</span>
            <div class="segments" role="group" aria-labelledby="scale-label">
              <For each={[1, 2]}>
                {(scale) => <button type="button" aria-pressed={props.scale === scale} disabled={!may('set-limits') && props.scale !== scale} onClick={() => props.scale !== scale && setAsking(scale)}>{scale === 1 ? '1 (usual)' : '2 (88–92 %)'}</button>}
              </For>
            </div>
          </div>
        </Show>
        <Show when={props.score.note}><p class="small">{props.score.note}</p></Show>
        <p class="muted small">{props.score.source}</p>
      </div>
      <Show when={asking()}>
        {(scale) => <ScaleDialog scale={scale()} patient={props.patient} onClose={() => setAsking(null)} onDone={props.onChange} />}
      </Show>
    </section>
  );
};

const ScaleDialog: Component<{ scale: number; patient: string; onClose: () => void; onDone: () => void }> = (props) => {
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const reason = String(new FormData(event.currentTarget as HTMLFormElement).get('reason'));
    const done = await attempt(() => api.setScale(props.patient, { scale: props.scale, reason }).then(() => true), `SpO₂ scale ${props.scale} is in force`);
    if (done) { props.onDone(); props.onClose(); }
  };
  return (
    <Dialog title={`Use SpO₂ scale ${props.scale}?`} onClose={props.onClose}>
      <form class="stack" onSubmit={(e) => void submit(e)}>
        <p>{props.scale === 2 ? 'Scale 2 is for patients with hypercapnic respiratory failure and a prescribed range of 88–92 %. A clinician with the competence decides this.' : 'Scale 1 is for every patient without a prescribed range of 88–92 %.'}</p>
        <label class="field">Reason (kept with the decision)<input name="reason" required autocomplete="off" /></label>
        <div class="dialog-foot"><button type="button" class="btn" onClick={() => props.onClose()}>Cancel</button><button class="btn primary">Use scale {props.scale}</button></div>
      </form>
    </Dialog>
  );
};
