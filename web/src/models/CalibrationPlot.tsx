// What models said beside what came: each point is some moments of about the same risk. On the line they came true.
import { For, Show, type Component } from 'solid-js';
import { percent } from '../patient/risks.state';
import type { Compared, CurvePoint } from './models.api';
import { MARKS, PLOT, topOf } from './watch.state';

const EDGE = 34;
const share = (point: CurvePoint): number => point.events / Math.max(1, point.moments);

export const CalibrationPlot: Component<{ models: Compared[] }> = (props) => {
  const top = () => topOf(props.models);
  const x = (value: number) => EDGE + (Math.min(value, top()) / top()) * PLOT;
  const y = (value: number) => 8 + PLOT - (Math.min(value, top()) / top()) * PLOT;
  const marks = () => [0, 0.5, 1].map((part) => part * top());
  return (
    <figure class="calibration">
      <svg viewBox={`0 0 ${PLOT + EDGE + 20} ${PLOT + 48}`} role="img" aria-label="Calibration: risk said, and share of events that came. The numbers are in the table below.">
        <path class="axis" d={`M${EDGE} 8V${PLOT + 8}H${PLOT + EDGE}`} />
        <path class="even" d={`M${x(0)} ${y(0)}L${x(top())} ${y(top())}`} />
        <For each={marks()}>
          {(mark) => (
            <>
              <text x={x(mark)} y={PLOT + 24} text-anchor="middle">{percent(mark)}</text>
              <text x={EDGE - 4} y={y(mark) + 4} text-anchor="end">{percent(mark)}</text>
            </>
          )}
        </For>
        <text x={EDGE + PLOT / 2} y={PLOT + 42} text-anchor="middle">Risk said</text>
        <For each={props.models}>
          {(model, at) => (
            <g class={`curve c${at() + 1}`}>
              <For each={model.curve}>
                {(point) => (
                  <>
                    <Show when={point.low != null && point.high != null}><path d={`M${x(point.risk)} ${y(point.low ?? 0)}V${y(point.high ?? 0)}`} /></Show>
                    <text class="mark" x={x(point.risk)} y={y(share(point)) + 4} text-anchor="middle">{MARKS[at() % MARKS.length]}</text>
                  </>
                )}
              </For>
            </g>
          )}
        </For>
      </svg>
      <figcaption class="small">
        <p>Upwards: share of events that came, with its 95 % interval where 20 moments or more are behind it. On the dashed line the risks come true; below it a model says too much.</p>
        <ul class="legend"><For each={props.models}>{(model, at) => <li><span class={`curve c${at() + 1}`} aria-hidden="true">{MARKS[at() % MARKS.length]}</span> {model.title}</li>}</For></ul>
        <details>
          <summary>Calibration as numbers</summary>
          <div class="table-wrap" tabindex="0" role="region" aria-label="Calibration as numbers">
            <table class="table">
              <thead><tr><th scope="col">Model</th><th scope="col" class="num">Risk said</th><th scope="col" class="num">Came</th><th scope="col" class="num">Of moments</th></tr></thead>
              <tbody>
                <For each={props.models}>{(model) => <For each={model.curve}>{(point) => <tr><th scope="row">{model.title}</th><td class="num">{percent(point.risk)}</td><td class="num">{point.events} ({percent(share(point))})</td><td class="num">{point.moments}</td></tr>}</For>}</For>
              </tbody>
            </table>
          </div>
        </details>
      </figcaption>
    </figure>
  );
};
