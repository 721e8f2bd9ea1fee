// The present policy beside the tried one, line by line.
import { For, Show, type Component, type JSX, type ParentComponent } from 'solid-js';
import { roleWord } from '../alerts/alerts.state';
import { took } from '../burden/burden.state';
import { AlarmMark } from '../ui/AlarmMark';
import { pretty } from '../ui/format';
import { causeRows, change, differenceWords, eventWord, hours, pointsWords, rate, rateWords, shareWords } from './comparison.state';
import type { Answered, Difference, EventLine, Figures } from './laboratory.api';

interface Both { now: Figures; then: Figures }

const Table: ParentComponent<{ title: string; heads: readonly string[]; note?: string }> = (props) => (
  <section class="card" aria-label={props.title}>
    <header><h2>{props.title}</h2></header>
    <div class="scroll" tabindex="0" role="region" aria-label={`Table: ${props.title}`}>
      <table class="table fold">
        <thead><tr><For each={props.heads}>{(head, n) => <th scope="col" classList={{ num: n() > 0 }}>{head}</th>}</For></tr></thead>
        <tbody>{props.children}</tbody>
      </table>
    </div>
    <Show when={props.note}><p class="body small muted">{props.note}</p></Show>
  </section>
);

/** A figure with its interval below it; on a phone each has its heading before it. */
const Cell: Component<{ head: string | undefined; text: string }> = (props) => {
  const parts = () => /^([^(]*)(\(.*)?$/.exec(props.text);
  return <td class="num" data-label={props.head} classList={{ nothing: !props.text }}>{parts()?.[1]}<Show when={parts()?.[2]}>{(interval) => <span class="lab-interval">{interval()}</span>}</Show></td>;
};

const Row: Component<{ head: JSX.Element; cells: string[]; heads: readonly string[] }> = (props) => (
  <tr><th scope="row">{props.head}</th><For each={props.cells}>{(cell, n) => <Cell head={props.heads[n() + 1]} text={cell} />}</For></tr>
);

const takenWords = (a: Answered): string => `${a.taken} of ${a.taken + a.untaken}`;

const WHOLE = ['Figure', 'Today', 'With the change', 'Difference'] as const;

export const WholeTable: Component<Both & { difference: Difference | undefined }> = (props) => {
  const rows = (): [string, ...string[]][] => {
    const { now, then, difference: d } = props;
    return [
      ['Alerts a bed-day', rateWords(now.alerts_per_bed_day), rateWords(then.alerts_per_bed_day), d ? differenceWords(d.alerts_per_bed_day) : '–'],
      ['Alerts that preceded a real event', shareWords(now.preceding), shareWords(then.preceding), d ? pointsWords(d.preceding) : '–'],
      ['Real events that an alert preceded', shareWords(now.sensitivity), shareWords(then.sensitivity), d ? pointsWords(d.sensitivity) : '–'],
      ['About devices, a bed-day', rate(now.technical_per_bed_day), rate(then.technical_per_bed_day), ''],
      ['Taken by somebody', takenWords(now.answered), takenWords(then.answered), ''],
      ['Half taken within', took(now.answered.median_s), took(then.answered.median_s), ''],
      ['Nine in ten taken within', took(now.answered.p90_s), took(then.answered.p90_s), ''],
    ];
  };
  const who = () => (props.now.answered.observed ? 'When today’s alerts were taken is what people did; with the change, what they did to the same alerts, else assumed.' : 'When alerts were taken is assumed.');
  return (
    <Table title="All alerts" heads={WHOLE} note={`In brackets the interval in which the figure lies with 95 % likelihood, by drawing patients again. ${who()}`}>
      <For each={rows()}>{([head, ...cells]) => <Row head={head} heads={WHOLE} cells={cells} />}</For>
    </Table>
  );
};

const EVENTS = ['Event', 'How many', 'Missed today', 'Missed with the change', 'First alert today', 'First alert with the change'] as const;
const ahead = (e: EventLine | undefined): string => (e?.lead_h_median == null ? '–' : `${hours(e.lead_h_median)} before (${hours(e.lead_h_p25)} to ${hours(e.lead_h_p75)})`);

export const EventsTable: Component<Both & { horizon: number }> = (props) => (
  <Table title="Real events" heads={EVENTS} note={`An alert precedes an event that comes within ${props.horizon} hours of it. First alert: half of the events have it so long before, or longer; in brackets a quarter and three quarters.`}>
    <For each={props.then.events.filter((e) => e.events > 0)} fallback={<tr><td colspan="6" class="empty">No real event happened in this time.</td></tr>}>
      {(then) => {
        const now = () => props.now.events.find((e) => e.event === then.event);
        return <Row head={eventWord(then.event)} heads={EVENTS} cells={[String(then.events), String(now()?.missed ?? 0), String(then.missed), ahead(now()), ahead(then)]} />;
      }}
    </For>
  </Table>
);

const CAUSES = ['Cause', 'Today', 'With the change', 'Change', 'A bed-day today', 'A bed-day with the change'] as const;

export const CausesTable: Component<Both & { titles: Record<string, string> }> = (props) => (
  <Table title="By priority and cause" heads={CAUSES}>
    <For each={causeRows(props.now, props.then)} fallback={<tr><td colspan="6" class="empty">Nothing alerted.</td></tr>}>
      {(row) => <Row head={<><AlarmMark priority={row.priority} /> {pretty(props.titles[row.cause] ?? row.cause)}</>} heads={CAUSES} cells={[String(row.now), String(row.then), change(row.now, row.then), rate(row.nowRate), rate(row.thenRate)]} />}
    </For>
  </Table>
);

const CALLS = ['Role', 'Today', 'With the change', 'Change', 'At night today', 'At night with the change', 'Change at night'] as const;

export const CallsTable: Component<Both> = (props) => {
  const roles = () => [...new Set([...props.now.calls, ...props.then.calls].map((c) => c.role))];
  const dated = () => [...props.now.calls, ...props.then.calls].every((c) => c.at_night != null);
  const beside = (a = 0, b = 0) => [String(a), String(b), change(a, b)];
  const cells = (role: string) => {
    const [a, b] = [props.now, props.then].map((f) => f.calls.find((c) => c.role === role));
    return [...beside(a?.calls, b?.calls), ...(dated() ? beside(a?.at_night ?? 0, b?.at_night ?? 0) : ['–', '–', '–'])];
  };
  return (
    <Table title="Who would have been called" heads={CALLS} note="A call: an alert begins, goes on to the next role, or sounds again after somebody had it.">
      <For each={roles()} fallback={<tr><td colspan="7" class="empty">Nobody was called.</td></tr>}>{(role) => <Row head={roleWord(role)} heads={CALLS} cells={cells(role)} />}</For>
    </Table>
  );
};
