// The present policy beside the tried one, line by line.
import { For, Show, type Component, type ParentComponent } from 'solid-js';
import { roleWord } from '../alerts/alerts.state';
import { took } from '../burden/burden.state';
import { AlarmMark } from '../ui/AlarmMark';
import { pretty } from '../ui/format';
import { causeRows, change, differenceWords, eventWord, hours, pointsWords, rate, rateWords, shareWords } from './comparison.state';
import type { Answered, Difference, Figures } from './laboratory.api';

interface Both { now: Figures; then: Figures }

const Table: ParentComponent<{ title: string; heads: string[]; note?: string }> = (props) => (
  <section class="card" aria-label={props.title}>
    <header><h2>{props.title}</h2></header>
    <div class="scroll" tabindex="0" role="region" aria-label={`Table: ${props.title}`}>
      <table class="table">
        <thead><tr><For each={props.heads}>{(head, n) => <th scope="col" classList={{ num: n() > 0 }}>{head}</th>}</For></tr></thead>
        <tbody>{props.children}</tbody>
      </table>
    </div>
    <Show when={props.note}><p class="body small muted">{props.note}</p></Show>
  </section>
);

const Row: Component<{ head: string; cells: string[] }> = (props) => (
  <tr><th scope="row">{props.head}</th><For each={props.cells}>{(cell) => <td class="num">{cell}</td>}</For></tr>
);

const takenWords = (a: Answered): string => `${a.taken} of ${a.taken + a.untaken}`;

export const WholeTable: Component<Both & { difference: Difference | undefined }> = (props) => {
  const d = () => props.difference;
  return (
    <Table title="All alerts" heads={['Figure', 'Today', 'With the change', 'Difference']} note={`In brackets the interval in which the figure lies with 95 % likelihood, by drawing patients again. ${props.now.answered.observed ? 'Who took today’s alerts, and when, is what people did; with the change it is what they did to the same alerts, else assumed.' : 'When alerts were taken is assumed.'}`}>
      <Row head="Alerts a bed-day" cells={[rateWords(props.now.alerts_per_bed_day), rateWords(props.then.alerts_per_bed_day), d() ? differenceWords(d()!.alerts_per_bed_day) : '–']} />
      <Row head="Alerts that preceded a real event" cells={[shareWords(props.now.preceding), shareWords(props.then.preceding), d() ? pointsWords(d()!.preceding) : '–']} />
      <Row head="Real events that an alert preceded" cells={[shareWords(props.now.sensitivity), shareWords(props.then.sensitivity), d() ? pointsWords(d()!.sensitivity) : '–']} />
      <Row head="About devices, a bed-day" cells={[rate(props.now.technical_per_bed_day), rate(props.then.technical_per_bed_day), '']} />
      <Row head="Taken by somebody" cells={[takenWords(props.now.answered), takenWords(props.then.answered), '']} />
      <Row head="Half taken within" cells={[took(props.now.answered.median_s), took(props.then.answered.median_s), '']} />
      <Row head="Nine in ten taken within" cells={[took(props.now.answered.p90_s), took(props.then.answered.p90_s), '']} />
    </Table>
  );
};

export const EventsTable: Component<Both & { horizon: number }> = (props) => (
  <Table title="Real events" heads={['Event', 'How many', 'Missed today', 'Missed then', 'First alert today', 'First alert then']} note={`An alert precedes an event that comes within ${props.horizon} hours of it. First alert: half of the events have it so long before, or longer; in brackets a quarter and three quarters.`}>
    <For each={props.then.events.filter((e) => e.events > 0)} fallback={<tr><td colspan="6" class="empty">No real event happened in this time.</td></tr>}>
      {(then) => {
        const now = () => props.now.events.find((e) => e.event === then.event);
        const ahead = (e = now()) => (e?.lead_h_median == null ? '–' : `${hours(e.lead_h_median)} (${hours(e.lead_h_p25)} to ${hours(e.lead_h_p75)})`);
        return <Row head={eventWord(then.event)} cells={[String(then.events), String(now()?.missed ?? 0), String(then.missed), ahead(), ahead(then)]} />;
      }}
    </For>
  </Table>
);

export const CausesTable: Component<Both & { titles: Record<string, string> }> = (props) => (
  <Table title="By priority and cause" heads={['Cause', 'Today', 'With the change', 'Change', 'A bed-day today', 'A bed-day then']}>
    <For each={causeRows(props.now, props.then)} fallback={<tr><td colspan="6" class="empty">Nothing alerted.</td></tr>}>
      {(row) => (
        <tr>
          <th scope="row"><AlarmMark priority={row.priority} /> {pretty(props.titles[row.cause] ?? row.cause)}</th>
          <td class="num">{row.now}</td><td class="num">{row.then}</td><td class="num">{change(row.now, row.then)}</td><td class="num">{rate(row.nowRate)}</td><td class="num">{rate(row.thenRate)}</td>
        </tr>
      )}
    </For>
  </Table>
);

export const CallsTable: Component<Both> = (props) => {
  const roles = () => [...new Set([...props.now.calls, ...props.then.calls].map((c) => c.role))];
  const cells = (role: string) => {
    const [a, b] = [props.now, props.then].map((f) => f.calls.find((c) => c.role === role));
    const dated = [...props.now.calls, ...props.then.calls].every((c) => c.at_night != null);
    return [a?.calls ?? 0, b?.calls ?? 0].map(String).concat(change(a?.calls ?? 0, b?.calls ?? 0), ...(dated ? [String(a?.at_night ?? 0), String(b?.at_night ?? 0), change(a?.at_night ?? 0, b?.at_night ?? 0)] : ['–', '–', '–']));
  };
  return (
    <Table title="Who would have been called" heads={['Role', 'Today', 'With the change', 'Change', 'At night today', 'At night then', 'Change']} note="A call: an alert begins, goes on to the next role, or sounds again after somebody had it.">
      <For each={roles()} fallback={<tr><td colspan="7" class="empty">Nobody was called.</td></tr>}>{(role) => <Row head={roleWord(role)} cells={cells(role)} />}</For>
    </Table>
  );
};
