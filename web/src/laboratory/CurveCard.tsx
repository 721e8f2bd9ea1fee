// The trade-off of a sweep: drawn, with points that keys reach, and as a table.
import { createMemo, createSignal, For, Show, type Component } from 'solid-js';
import { eventWord, rateWords, shareWords } from './comparison.state';
import { Curve } from './Curve';
import { drawable, kindOf, pointWords } from './curve.state';
import type { Result } from './laboratory.api';
import { shortName } from './versions.state';

interface CurveProps { result: Result; budget: number | null; target: string | null; swept: string[]; shown: number; onShow: (at: number) => void }

const KIND_WORD = { present: 'present', proposed: 'proposed', frontier: 'on the frontier', beaten: '' } as const;

export const CurveCard: Component<CurveProps> = (props) => {
  const [table, setTable] = createSignal(false);
  const names = createMemo(() => props.result.candidates.map((candidate, at) => shortName(candidate, at, props.swept)));
  const proposed = () => props.result.proposed ?? null;
  const kind = (at: number) => kindOf(props.result.points[at]!, at, proposed());
  const words = (at: number) => pointWords(props.result.points[at]!, kind(at), names()[at] ?? '');
  return (
    <section class="card" aria-labelledby="curve-title">
      <header>
        <h2 id="curve-title">Fewer alerts against fewer events seen</h2>
        <span class="grow" />
        <div class="segments" role="group" aria-label="Show as">
          <button type="button" aria-pressed={!table()} onClick={() => setTable(false)}>Curve</button>
          <button type="button" aria-pressed={table()} onClick={() => setTable(true)}>Table</button>
        </div>
      </header>
      <div class="body stack">
        <p class="small muted">Each point is a policy that was tried. Up is better (more of {props.target ? `“${eventWord(props.target)}”` : 'the real events'} had an alert before), left is better (fewer alerts). On the frontier no other is better in both.</p>
        <Show when={!table()} fallback={
          <div class="scroll" tabindex="0" role="region" aria-label="Table: policies of the curve">
            <table class="table">
              <thead><tr><th scope="col">Policy</th><th scope="col" class="num">Alerts a bed-day</th><th scope="col" class="num">Events seen</th><th scope="col" class="num">Alerts before an event</th><th scope="col">Mark</th><th scope="col"><span class="sr-only">Compare</span></th></tr></thead>
              <tbody>
                <For each={props.result.points}>
                  {(point, at) => (
                    <tr classList={{ picked: at() === props.shown }}>
                      <th scope="row">{names()[at()]}</th><td class="num">{rateWords(point.alerts_per_bed_day)}</td><td class="num">{shareWords(point.sensitivity)}</td><td class="num">{shareWords(point.preceding)}</td><td>{KIND_WORD[kind(at())]}</td>
                      <td><Show when={at() > 0}><button type="button" class="btn small" aria-pressed={at() === props.shown} onClick={() => props.onShow(at())}>Compare<span class="sr-only"> {names()[at()]}</span></button></Show></td>
                    </tr>
                  )}
                </For>
              </tbody>
            </table>
          </div>
        }>
          <Show when={drawable(props.result.points)} fallback={<p class="empty">There is nothing to draw: no real event happened that an alert could have preceded. The table has the alerts.</p>}>
            <Curve points={props.result.points} names={names()} budget={props.budget} proposed={proposed()} shown={props.shown} words={words} onShow={props.onShow} />
          </Show>
        </Show>
        <p role="status">Compared below: <b>{words(props.shown)}</b></p>
      </div>
    </section>
  );
};
