// What alarms cost: rates, floods, nuisances; the reports of the weeks.
import { createResource, createSignal, For, Show, type Component } from 'solid-js';
import { serverNow } from '../live/clock';
import { may } from '../session/session';
import { dateTime } from '../ui/format';
import { burden, type Wanted } from './burden.api';
import { PERIODS } from './burden.state';
import { FiguresView } from './FiguresView';
import { RIGHT_NOTE, ScoresCard } from './ScoresCard';
import './burden.css';

const DAY_MS = 86_400_000;

const BurdenPage: Component<{ params: Record<string, string> }> = () => {
  const [days, setDays] = createSignal<number>(7);
  const [back, setBack] = createSignal(0);
  const [unit, setUnit] = createSignal('');
  const wanted = (): Wanted => {
    const to = Math.ceil(serverNow() / 60_000) * 60_000 - back() * days() * DAY_MS;
    return { from_ms: to - days() * DAY_MS, to_ms: to, unit: unit() };
  };
  const [answer] = createResource(() => [days(), back(), unit()] as const, () => burden.figures(wanted()));
  const [reports] = createResource(() => burden.reports().catch(() => []));
  const [scores] = createResource(() => may('see-policy'), (allowed) => (allowed ? burden.scores() : Promise.resolve(null)));
  const pick = (n: number) => { setBack(0); setDays(n); };
  return (
    <div class="page burden-page">
      <div class="page-head">
        <h1>Alarm burden</h1>
        <span class="grow" />
        <div class="segments" role="group" aria-label="Period">
          <For each={PERIODS}>{(p) => <button type="button" aria-pressed={days() === p.days} onClick={() => pick(p.days)}>{p.title}</button>}</For>
        </div>
        <button type="button" class="btn small" onClick={() => setBack(back() + 1)}>Earlier</button>
        <button type="button" class="btn small" disabled={back() === 0} onClick={() => setBack(Math.max(0, back() - 1))}>Later</button>
        <label class="row small">Unit
          <select class="input" value={unit()} onChange={(e) => setUnit(e.currentTarget.value)}>
            <option value="">All</option>
            <For each={answer.latest?.units ?? []}>{(name) => <option value={name}>{name}</option>}</For>
          </select>
        </label>
        <a class="btn small" href={burden.table(wanted())} download="alarm-burden.csv">CSV</a>
        <button type="button" class="btn small" onClick={() => window.print()}>Print</button>
      </div>
      <Show when={answer.error as Error | undefined}>{(error) => <p class="error" role="alert">{error().message}</p>}</Show>
      <Show when={answer.latest} fallback={<Show when={!answer.error}><p class="empty" role="status">Reckoning up…</p></Show>}>
        {(a) => (
          <>
            <p class="small muted" role="status">{dateTime(a().from_ms)} to {dateTime(a().to_ms)}, beside as long a time before; hours of {a().zone}{answer.loading ? '; reckoning up…' : ''}</p>
            <FiguresView now={a().now.figures} before={a().before.figures} from={a().from_ms} to={a().to_ms} cut={a().now.cut || a().before.cut} />
          </>
        )}
      </Show>
      <Show when={scores.latest}>{(s) => <ScoresCard scores={s().scores} note={`The whole house over ${s().days} days. ${RIGHT_NOTE}`} />}</Show>
      <section class="card" aria-labelledby="reports-title">
        <header><h2 id="reports-title">Reports of the weeks</h2></header>
        <ul class="burden-list body"><For each={reports.latest ?? []} fallback={<li class="muted">None yet: one is made when a week is over, for accounts of the whole house.</li>}>{(one) => <li><a href={`/burden/${one.name}`}>{one.name}</a> <span class="small muted">made {dateTime(one.made_ms)}</span></li>}</For></ul>
      </section>
    </div>
  );
};
export default BurdenPage;
