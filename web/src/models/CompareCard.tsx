// Models of one outcome beside each other, on the same patients at the same moments; what another champion would change.
import { createResource, createSignal, For, Show, type Component } from 'solid-js';
import { serverNow } from '../live/clock';
import { horizon, percent } from '../patient/risks.state';
import { sentence } from '../ui/format';
import { CalibrationPlot } from './CalibrationPlot';
import { models, type Compared, type Comparison } from './models.api';
import { ROLE_WORD } from './models.state';
import { changes, configuration, PERIODS, ranged, rate } from './watch.state';

const DAY_MS = 86_400_000;
const version = (one: Compared) => one.version.split('+')[0];
const role = (one: Compared) => (one.role === 'score' ? `score, from ${one.threshold}` : `${ROLE_WORD[one.role] ?? one.role}, ${version(one)}`);

const Table: Component<{ told: Comparison }> = (props) => {
  const most = () => Math.max(0.001, ...props.told.models.map((one) => one.alerts_per_bed_day ?? 0));
  const few = () => (props.told.events_words.length ? 'too few events to tell' : 'not known');
  return (
    <div class="table-wrap" tabindex="0" role="region" aria-label="Models beside each other">
      <table class="table compare">
        <thead><tr><th scope="col">Model</th><th scope="col" class="num">Judged</th><th scope="col" class="num">Not judged</th><th scope="col" class="num">Mean risk</th><th scope="col" class="num">Alerts a bed-day</th><th scope="col">Observed to expected</th><th scope="col">AUROC</th></tr></thead>
        <tbody>
          <For each={props.told.models}>
            {(one) => (
              <tr>
                <th scope="row">{one.title}<div class="small muted">{role(one)}</div></th>
                <td class="num">{one.judged.toLocaleString('en')}</td>
                <td class="num">{one.abstained.toLocaleString('en')}</td>
                <td class="num">{percent(one.mean_risk)}</td>
                <td class="num">{rate(one.alerts_per_bed_day)}<div class="bar" aria-hidden="true"><span style={{ width: `${(100 * (one.alerts_per_bed_day ?? 0)) / most()}%` }} /></div></td>
                <td>{one.role === 'score' ? '–' : ranged(one.ratio, few())}</td>
                <td>{ranged(one.auroc, few())}</td>
              </tr>
            )}
          </For>
        </tbody>
      </table>
    </div>
  );
};

const Changes: Component<{ told: Comparison }> = (props) => {
  const champion = () => props.told.models[0];
  const other = (model: string, version: string) => props.told.models.find((one) => one.model === model && one.version === version);
  return (
    <For each={props.told.changes}>
      {(change) => (
        <Show when={other(change.model, change.version)}>
          {(challenger) => (
            <section aria-label={`If ${challenger().title} became champion`}>
              <h3>If {challenger().title} ({version(challenger())}) became champion</h3>
              <ul><For each={changes(change)}>{(text) => <li>{text}.</li>}</For></ul>
              <Show when={champion()}>
                {(first) => (
                  <details>
                    <summary>How it would become champion</summary>
                    <p>Nothing here does it. Whoever runs the program changes the configuration and starts it anew; the journal keeps when it changed.</p>
                    <pre tabindex="0" role="region" aria-label="Configuration"><code>{configuration(first(), challenger())}</code></pre>
                  </details>
                )}
              </Show>
            </section>
          )}
        </Show>
      )}
    </For>
  );
};

export const CompareCard: Component<{ model: string }> = (props) => {
  const [days, setDays] = createSignal<number>(28);
  const ask = ([model, back]: readonly [string, number]) => {
    const to = Math.ceil(serverNow() / 60_000) * 60_000;
    return models.compare(model, to - back * DAY_MS, to);
  };
  const [told] = createResource(() => [props.model, days()] as const, ask);
  const drawn = () => told.latest?.models.filter((one) => one.curve.length) ?? [];
  return (
    <section class="card" aria-labelledby="compare-title">
      <header>
        <h2 id="compare-title">Beside each other</h2><span class="grow" />
        <div class="segments" role="group" aria-label="Period">
          <For each={PERIODS}>{(n) => <button type="button" aria-pressed={days() === n} onClick={() => setDays(n)}>{n} days</button>}</For>
        </div>
      </header>
      <div class="body stack">
        <Show when={told.error as Error | undefined}>{(error) => <p class="error" role="alert">{sentence(error().message)}</p>}</Show>
        <Show when={!told.error && told.latest} fallback={<Show when={!told.error}><p class="empty" role="status">Comparing…</p></Show>}>
          {(t) => (
            <Show when={t().moments} fallback={<p class="empty">Nothing to compare in this time: no moment at which all were asked.</p>}>
              <p class="small" role="status">
                {t().moments.toLocaleString('en')} moments of {t().patients.toLocaleString('en')} patients at which all were asked, {t().bed_days.toFixed(1)} bed-days{t().cut ? '; there was more than is looked at: these are the newest' : ''}.
                {' '}<Show when={t().events_words.length} fallback="What came is not known here, so nothing is said of how right they are.">
                  {t().settled.toLocaleString('en')} of them have a known outcome within {horizon(t().horizon_h)}, one a patient and horizon: the event came after {t().observed}. What counts: {t().events_words.join('; ')}.
                </Show>
              </p>
              <Table told={t()} />
              <Show when={drawn().length}><CalibrationPlot models={drawn()} /></Show>
              <Changes told={t()} />
              <p class="muted small">An alert is a risk that reaches the model’s threshold, once a day and patient. Whoever is told of is looked after, and may be spared what would have come: a champion looks worse for it than a model that nobody sees.</p>
            </Show>
          )}
        </Show>
      </div>
    </section>
  );
};
