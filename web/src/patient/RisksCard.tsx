// What predictive models say of the patient: a risk with how sure it is, why, and what is missing. They propose a look; people decide.
import { For, Show, type Component } from 'solid-js';
import type { RiskView } from '../api/types';
import { when } from '../ui/format';
import { CLASS_MARK, CLASS_WORD, horizon, interval, percent, trendPath, TREND_HEIGHT, TREND_WIDTH } from './risks.state';

const Trend: Component<{ risk: RiskView }> = (props) => (
  <svg class="risk-trend" viewBox={`0 0 ${TREND_WIDTH} ${TREND_HEIGHT}`} role="img" aria-label={`Risk over the last hours, now ${percent(props.risk.probability)}`}>
    <path d={trendPath(props.risk.trend)} />
  </svg>
);

const Risk: Component<{ risk: RiskView; now: number }> = (props) => (
  <section class="risk" classList={{ [props.risk.class]: true, stale: props.risk.stale }} aria-label={props.risk.title}>
    <div class="risk-head">
      <h3>{props.risk.title}</h3>
      <span class="risk-class"><span aria-hidden="true">{CLASS_MARK[props.risk.class] ?? ''} </span>{CLASS_WORD[props.risk.class] ?? props.risk.class}</span>
    </div>
    <Show when={props.risk.probability != null} fallback={
      <div class="small"><strong>The model does not judge:</strong><ul><For each={props.risk.reasons}>{(reason) => <li>{reason}</li>}</For></ul></div>
    }>
      <div class="risk-line">
        <b class="risk-number">{percent(props.risk.probability)}</b>
        <span class="small">{interval(props.risk)}</span>
        <Show when={props.risk.trend.length > 1}><Trend risk={props.risk} /></Show>
      </div>
      <Show when={props.risk.because.length}>
        <p class="small risk-why">What moves it:</p>
        <ul class="small"><For each={props.risk.because.slice(0, 5)}>{(why) => <li>{why}</li>}</For></ul>
      </Show>
    </Show>
    <Show when={props.risk.warnings.length}>
      <details class="small"><summary>To bear in mind ({props.risk.warnings.length})</summary><ul><For each={props.risk.warnings}>{(warning) => <li>{warning}</li>}</For></ul></details>
    </Show>
    <p class="muted small">
      Within {horizon(props.risk.horizon_h)}. Judged {when(props.risk.time_ms, props.now)}{props.risk.stale ? ', too long ago to be the present risk' : ''}.{' '}
      <a href={`/models/${encodeURIComponent(props.risk.model)}`}>{props.risk.model} {props.risk.version.split('+')[0]}</a>
    </p>
  </section>
);

export const RisksCard: Component<{ risks: RiskView[]; now: number }> = (props) => (
  <Show when={props.risks.length}>
    <section class="card" aria-labelledby="risks-title">
      <header><h2 id="risks-title">Risk models</h2></header>
      <div class="body stack">
        <For each={props.risks}>{(risk) => <Risk risk={risk} now={props.now} />}</For>
        <p class="muted small">A model proposes a look. It orders nothing, and it can be wrong both ways.</p>
      </div>
    </section>
  </Show>
);
