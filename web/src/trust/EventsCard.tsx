// Security events: those nobody has taken stand out; taking one keeps a note. Lines are kept by their number, so that what
// somebody types stays when the list is asked for anew.
import { createSignal, For, Show, type Component } from 'solid-js';
import { serverNow } from '../live/clock';
import { may } from '../session/session';
import { sentence, when } from '../ui/format';
import { attempt } from '../ui/toast';
import { eventWord, trust, type SecurityEvent } from './trust.state';

export const EventsCard: Component<{ events: SecurityEvent[]; onTaken: () => void }> = (props) => {
  const [all, setAll] = createSignal(false);
  const open = () => props.events.filter((e) => !e.taken_by);
  const shown = () => (all() ? props.events : open());
  return (
    <section class="card events" classList={{ alarmed: open().length > 0 }} aria-label="Security events">
      <div class="row">
        <h2>Security events</h2>
        <span class={open().length ? 'bad' : 'muted'} role="status">{open().length ? `${open().length} not looked at` : 'All looked at'}</span>
        <span class="grow" />
        <label class="row small"><input type="checkbox" checked={all()} onChange={(e) => setAll(e.currentTarget.checked)} />Those taken, too</label>
      </div>
      <ul class="plain-list">
        <For each={shown().map((e) => e.number)}>{(number) => <Show when={props.events.find((e) => e.number === number)}>{(event) => <EventLine event={event()} onTaken={props.onTaken} />}</Show>}</For>
      </ul>
    </section>
  );
};

const EventLine: Component<{ event: SecurityEvent; onTaken: () => void }> = (props) => {
  const e = () => props.event;
  const [note, setNote] = createSignal('');
  const take = async (submit: SubmitEvent) => {
    submit.preventDefault();
    if (await attempt(() => trust.take(e().number, note()).then(() => true), 'Taken')) props.onTaken();
  };
  return (
    <li>
      <p><b>{eventWord(e().kind)}</b> <Show when={e().device}><a href={`/trust/${encodeURIComponent(e().device)}`}>{e().device}</a></Show> <Show when={e().zone}><span class="chip">zone {e().zone}</span></Show>
        <span class="muted small"> {e().count > 1 ? `${e().count} times, last ` : ''}{when(e().last_ms, serverNow())}</span></p>
      <p class="small">{sentence(e().evidence)}</p>
      <Show when={!e().taken_by} fallback={<p class="small muted">Taken by {e().taken_by}{e().note ? `: ${e().note}` : ''}</p>}>
        <Show when={may('see-security')}>
          <form class="row" onSubmit={(s) => void take(s)}>
            <input class="input" value={note()} onInput={(i) => setNote(i.currentTarget.value)} maxlength="300" placeholder="What was it?" aria-label={`Note on: ${eventWord(e().kind)} ${e().device}`} />
            <button type="submit" class="btn small">Take</button>
          </form>
        </Show>
      </Show>
    </li>
  );
};
