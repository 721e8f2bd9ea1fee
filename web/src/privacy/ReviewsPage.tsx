// Emergency accesses, for those who review them: nobody their own.
import { createResource, createSignal, For, Show, type Component } from 'solid-js';
import { currentSession } from '../session/session';
import { Dialog } from '../ui/Dialog';
import { dateTime, hourMinute, plural } from '../ui/format';
import { repeat } from '../ui/repeat';
import { attempt } from '../ui/toast';
import { privacy, type BreakGlass } from './privacy.api';
import { REASON_WORD, ROLE_WORD } from './words';
import './privacy.css';

const ReviewsPage: Component<{ params: Record<string, string> }> = () => {
  const [queue, { refetch }] = createResource(privacy.queue);
  const [reviewing, setReviewing] = createSignal<BreakGlass>();
  repeat(refetch, 20_000);
  return (
    <div class="page">
      <div class="page-head">
        <h1>Emergency accesses</h1>
        <span class="muted" role="status">{queue.latest ? `${plural(queue.latest.waiting, 'access', 'accesses')} to review` : ''}</span>
      </div>
      <Show when={queue.error as Error | undefined}>{(error) => <p class="error" role="alert">{error().message}</p>}</Show>
      <ul class="reviews" aria-label="Emergency accesses">
        <For each={queue.latest?.accesses ?? []} fallback={<li class="empty">Nobody opened a patient in an emergency.</li>}>
          {(access) => <Row access={access} onReview={() => setReviewing(access)} />}
        </For>
      </ul>
      <Show when={reviewing()}>{(access) => <ReviewDialog access={access()} onClose={() => setReviewing(undefined)} onDone={() => { setReviewing(undefined); void refetch(); }} />}</Show>
    </div>
  );
};
export default ReviewsPage;

const Row: Component<{ access: BreakGlass; onReview: () => void }> = (props) => {
  const a = () => props.access;
  const own = () => { const session = currentSession(); return !!session && session.name.toLowerCase() === a().account.toLowerCase(); };
  return (
    <li class="card review">
      <div class="stack">
        <p><b>{a().account}</b> <span class="muted">{ROLE_WORD[a().role] ?? a().role}</span> opened <a href={`/patients/${encodeURIComponent(a().patient)}/privacy`} class="mono">{a().patient}</a>{a().unit ? ` in ${a().unit}` : ''}</p>
        <p>{REASON_WORD[a().reason] ?? a().reason}: “{a().words}”</p>
        <p class="small muted">{dateTime(a().began_ms)} to {a().open ? `${hourMinute(a().until_ms)}, open now` : hourMinute(a().ended_ms ?? a().until_ms)}</p>
        <Show when={a().note}><p class="small">{a().reviewer} noted: {a().note}</p></Show>
      </div>
      <div class="row">
        <Show when={a().outcome} fallback={<span class="chip">To review</span>}>
          <span class="chip">{a().outcome === 'justified' ? 'Justified' : 'Not justified'} · {a().reviewer}</span>
        </Show>
        <Show when={!own()} fallback={<span class="muted small">Yours: somebody else reviews it</span>}>
          <button type="button" class="btn small" classList={{ primary: !a().outcome }} onClick={() => props.onReview()}>{a().outcome ? 'Review again' : 'Review'}<span class="sr-only"> the access of {a().account}</span></button>
        </Show>
      </div>
    </li>
  );
};

const ReviewDialog: Component<{ access: BreakGlass; onClose: () => void; onDone: () => void }> = (props) => {
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const done = await attempt(() => privacy.review(props.access.id, String(form.get('outcome')), String(form.get('note')).trim()), 'The review is kept');
    if (done) props.onDone();
  };
  return (
    <Dialog title="Review this access" onClose={props.onClose}>
      <form class="stack" onSubmit={(e) => void save(e)}>
        <p>{props.access.account}: “{props.access.words}”</p>
        <fieldset class="choices">
          <legend>Was it justified?</legend>
          <label><input type="radio" name="outcome" value="justified" required /> Justified</label>
          <label><input type="radio" name="outcome" value="not-justified" /> Not justified</label>
        </fieldset>
        <label class="field">Note<textarea name="note" maxlength="500" rows="3" /></label>
        <div class="dialog-foot"><button type="button" class="btn" onClick={() => props.onClose()}>Cancel</button><button class="btn primary">Keep the review</button></div>
      </form>
    </Dialog>
  );
};
