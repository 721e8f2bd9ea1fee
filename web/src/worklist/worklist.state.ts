// The order of the list, and when it may change: not under somebody's pointer or focus.
import { createSignal, onCleanup, type Accessor } from 'solid-js';
import { createStore, reconcile } from 'solid-js/store';
import { onLiveEvent } from '../live/store';
import { age } from '../ui/format';
import { worklist, type WorklistLine } from './worklist.api';

/** First the one to look at first: more points, then who has had them for longer, then by id. */
export function before(a: WorklistLine, b: WorklistLine): number {
  return b.points - a.points || a.since_ms - b.since_ms || (a.patient.id < b.patient.id ? -1 : 1);
}

/** The order as shown: while `held`, lines keep their places, who is new comes last and who is gone goes. */
export function arrange(shown: readonly string[], wanted: readonly string[], held: boolean): string[] {
  if (!held) return [...wanted];
  const there = new Set(wanted);
  const known = new Set(shown);
  return [...shown.filter((id) => there.has(id)), ...wanted.filter((id) => !known.has(id))];
}

/** Who moved up to the top, in words for a screen reader; empty when nobody did. */
export function topChange(shown: readonly string[], wanted: readonly string[], name: (id: string) => string): string {
  const [top] = wanted;
  return top && top !== shown[0] ? `First to look at now: ${name(top)}` : '';
}

export interface WorklistModel {
  lines: Record<string, WorklistLine | undefined>;
  order: Accessor<string[]>;
  units: Accessor<string[]>;
  loaded: Accessor<boolean>;
  error: Accessor<string>;
  /** Whether the list would stand in another order than it does. */
  waiting: Accessor<boolean>;
  said: Accessor<string>;
  hold: (by: 'pointer' | 'focus', on: boolean) => void;
  settle: () => void;
  reload: () => Promise<void>;
}

/** The list, live. */
export function useWorklist(unit: Accessor<string>): WorklistModel {
  const [lines, setLines] = createStore<Record<string, WorklistLine | undefined>>({});
  const [order, setOrder] = createSignal<string[]>([]);
  const [wanted, setWanted] = createSignal<string[]>([]);
  const [units, setUnits] = createSignal<string[]>([]);
  const [loaded, setLoaded] = createSignal(false);
  const [error, setError] = createSignal('');
  const [said, setSaid] = createSignal('');
  const holds = new Set<string>();

  const show = (held: boolean) => {
    const all = Object.values(lines).filter((line): line is WorklistLine => !!line);
    const next = all.sort(before).map((line) => line.patient.id);
    const text = topChange(wanted(), next, (id) => [lines[id]?.location?.name, lines[id]?.patient.name, lines[id]?.reasons[0]?.text].filter(Boolean).join(', '));
    if (loaded() && text) setSaid(text);
    setWanted(next);
    setOrder(arrange(order(), next, held));
  };
  const put = (line: WorklistLine) => {
    if (unit() && line.location?.unit !== unit()) return;
    setLines(line.patient.id, reconcile(line));
    show(holds.size > 0);
  };
  const drop = (id: string) => { setLines(id, undefined); show(holds.size > 0); };
  const reload = async () => {
    try {
      const list = await worklist.list(unit());
      setLines(reconcile(Object.fromEntries(list.lines.map((line) => [line.patient.id, line]))));
      if (!unit()) setUnits(list.units);
      setError('');
      show(false);
      setLoaded(true);
    } catch (cause) {
      setError(cause instanceof Error ? cause.message : String(cause));
    }
  };
  onCleanup(onLiveEvent((event) => {
    if (event.type === 'worklist') put(event);
    else if (event.type === 'gone') drop(event.patient);
    else if (event.type === 'ward') void reload();
  }));
  return {
    lines, order, units, loaded, error, said, reload,
    waiting: () => order().join() !== wanted().join(),
    hold: (by, on) => {
      if (on) holds.add(by); else holds.delete(by);
      if (!holds.size) show(false);
    },
    settle: () => show(false),
  };
}

/** When somebody last looked after a patient, or since when nobody has; seconds say nothing here. */
export function seenText(line: Pick<WorklistLine, 'seen' | 'unseen_since_ms'>, nowMs: number): string {
  const since = nowMs - (line.unseen_since_ms ?? nowMs);
  if (line.seen) return `seen ${since < 60_000 ? 'just now' : `${age(since)} ago`} by ${line.seen.by}`;
  return since < 60_000 ? 'not seen yet' : `not seen for ${age(since)}`;
}

/** How a step stands in time: `due in 12 min`, `overdue for 3 min`; empty without a limit. */
export function dueText(dueMs: number | null | undefined, nowMs: number): string {
  if (dueMs == null) return '';
  const minutes = Math.round(Math.abs(dueMs - nowMs) / 60_000);
  const span = minutes < 90 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
  return dueMs > nowMs ? `due in ${span}` : `overdue for ${span}`;
}

const STATES: Record<string, string> = {
  suggested: 'Suggested', running: 'Being followed', declined: 'Declined', completed: 'Completed', stopped: 'Stopped', withdrawn: 'No longer suggested',
  waiting: 'Not needed so far', open: 'To do', done: 'Done', 'not-applicable': 'Does not apply',
};
export const stateText = (state: string): string => STATES[state] ?? state;
