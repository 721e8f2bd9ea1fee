// How one model does here: its inputs beside those of training, its risks beside what came, who looked into it.
import { createSignal, For, Show, type Component } from 'solid-js';
import { percent } from '../patient/risks.state';
import { Dialog } from '../ui/Dialog';
import { dateTime, sentence } from '../ui/format';
import { attempt } from '../ui/toast';
import { models, type ModelWatch } from './models.api';
import { inputsText, MATTER_WORD, outcomesText } from './watch.state';

const SHOWN = 10;

/** What the owner is to know, until somebody looked into it. */
export const Notices: Component<{ watches: ModelWatch[]; title: (watch: ModelWatch) => string; onChange: () => void }> = (props) => {
  const [looking, setLooking] = createSignal<ModelWatch | null>(null);
  const open = () => props.watches.filter((watch) => watch.notice);
  return (
    <Show when={open().length}>
      <section class="card model-notices" aria-labelledby="notices-title">
        <header><h2 id="notices-title">To look into</h2></header>
        <ul class="body">
          <For each={open()}>
            {(watch) => (
              <li>
                <p><a href={`/models/${encodeURIComponent(watch.model)}`}><b>{props.title(watch)}</b></a> <span class="small muted">{watch.version.split('+')[0]}, since {dateTime(watch.notice?.at_ms ?? 0)}{watch.owner && `, owner: ${watch.owner}`}</span></p>
                <ul><For each={watch.notice?.matters}>{(one) => <li><b>{MATTER_WORD[one.matter] ?? one.matter}{one.level > 1 ? ', far off' : ''}:</b> {sentence(one.text)}</li>}</For></ul>
                <button type="button" class="btn small" onClick={() => setLooking(watch)}>Looked into…<span class="sr-only"> {props.title(watch)}</span></button>
              </li>
            )}
          </For>
        </ul>
      </section>
      <Show when={looking()}>{(watch) => <LookDialog watch={watch()} title={props.title(watch())} onClose={() => setLooking(null)} onDone={() => { setLooking(null); props.onChange(); }} />}</Show>
    </Show>
  );
};

const LookDialog: Component<{ watch: ModelWatch; title: string; onClose: () => void; onDone: () => void }> = (props) => {
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const why = String(new FormData(event.currentTarget as HTMLFormElement).get('why'));
    if (await attempt(() => models.lookedInto(props.watch.model, props.watch.version, why).then(() => true), 'Noted: the watch begins anew')) props.onDone();
  };
  return (
    <Dialog title={`Looked into: ${props.title}`} onClose={props.onClose}>
      <form class="stack" onSubmit={(event) => void submit(event)}>
        <p>The notice goes, and the watch over this model begins anew. If the same is found again, you are told again.</p>
        <label class="field">What was found and done (kept with your name; name no patient)<input name="why" required maxlength="300" autocomplete="off" /></label>
        <div class="dialog-foot">
          <button type="button" class="btn" onClick={() => props.onClose()}>Cancel</button>
          <button type="submit" class="btn primary">Looked into</button>
        </div>
      </form>
    </Dialog>
  );
};

const Shifted: Component<{ watch: ModelWatch }> = (props) => (
  <div class="table-wrap" tabindex="0" role="region" aria-label="Inputs that are not as in training">
    <table class="table">
      <thead><tr><th scope="col">Input</th><th scope="col" class="num">Stability index</th><th scope="col" class="num">Missing</th><th scope="col" class="num">In training</th></tr></thead>
      <tbody><For each={props.watch.shifted.slice(0, SHOWN)}>{(one) => <tr><th scope="row"><code>{one.name}</code></th><td class="num">{one.index.toFixed(2)}</td><td class="num">{percent(one.missing)}</td><td class="num">{percent(one.missing_in_training)}</td></tr>}</For></tbody>
    </table>
    <Show when={props.watch.shifted.length > SHOWN}><p class="small muted">and {props.watch.shifted.length - SHOWN} more.</p></Show>
  </div>
);

export const WatchCard: Component<{ watch: ModelWatch }> = (props) => (
  <section class="card" aria-labelledby="watch-title">
    <header><h2 id="watch-title">How it does here</h2><span class="grow" /><Show when={props.watch.since_ms}>{(since) => <span class="small muted">since {dateTime(since())}</span>}</Show></header>
    <div class="body stack">
      <dl class="model-facts">
        <dt>Owner</dt><dd>{props.watch.owner || 'Nobody is named: see models.owner in the operating manual.'}</dd>
        <dt>Judgements</dt><dd>{props.watch.judgements.toLocaleString('en')} of {props.watch.patients.toLocaleString('en')} patients; not judged: {percent(props.watch.abstained)}</dd>
        <dt>Inputs</dt><dd>{inputsText(props.watch)}</dd>
        <dt>Outcomes</dt><dd>{outcomesText(props.watch)}<Show when={props.watch.events_words.length}><div class="small muted">What counts: {props.watch.events_words.join('; ')}. It is what the records here say, not a review of each patient.</div></Show></dd>
      </dl>
      <Show when={props.watch.shifted.length}><Shifted watch={props.watch} /></Show>
      <Show when={props.watch.looks.length}>
        <div>
          <h3>Looked into</h3>
          <ul><For each={props.watch.looks}>{(look) => <li>{dateTime(look.at_ms)}, {look.by}: {look.why}</li>}</For></ul>
        </div>
      </Show>
    </div>
  </section>
);
