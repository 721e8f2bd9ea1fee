// One quarantined message: what is wrong, the payload whole, how the profiles of now read it, what to do.
import { createResource, createSignal, For, Show, type Component } from 'solid-js';
import { api } from '../api/client';
import type { QuarantineDetail as Detail } from '../api/types';
import { MessageFacts } from '../source/MessageFacts';
import { Dialog } from '../ui/Dialog';
import { may } from '../session/session';
import { plural } from '../ui/format';
import { attempt } from '../ui/toast';
import { ProfileEditor } from './ProfileEditor';
import { TraceList } from './TraceList';

export const QuarantineDetail: Component<{ offset: number; onChange: () => void }> = (props) => {
  const [detail, { refetch }] = createResource(() => props.offset, api.quarantined);
  const changed = () => { void refetch(); props.onChange(); };
  return (
    <section class="card q-detail" aria-label="Message">
      <Show when={!detail.error} fallback={<p class="empty">{(detail.error as Error | undefined)?.message}</p>}>
        <Show when={detail.latest} fallback={<p class="empty">Loading the message…</p>}>{(d) => <Content detail={d()} onChange={changed} />}</Show>
      </Show>
    </section>
  );
};

const Content: Component<{ detail: Detail; onChange: () => void }> = (props) => {
  const [discarding, setDiscarding] = createSignal(false);
  const [flowed, setFlowed] = createSignal<number | null>(null);
  // The server tells of the release a moment after it has answered: what was asked for counts at once.
  const item = () => (flowed() == null ? props.detail.item : { ...props.detail.item, state: 'released' });
  const release = async () => {
    const done = await attempt(() => api.release(item().offset), (r) => `Released: ${plural(r.released, 'value')}`);
    if (done) { setFlowed(props.detail.would_yield); props.onChange(); }
  };
  return (
    <>
      <header>
        <h2>Message {item().offset}</h2><span class="chip" data-state={item().state}>{item().state}</span><span class="grow" />
        <Show when={item().state === 'new' && may('release-quarantine')}>
          <button type="button" class="btn primary" disabled={props.detail.would_yield === 0} onClick={() => void release()}>Release</button>
          <button type="button" class="btn" onClick={() => setDiscarding(true)}>Discard…</button>
        </Show>
        <a class="btn quiet small" href="/quarantine" aria-label="Close">✕</a>
      </header>
      <div class="body stack">
        <Show when={item().state === 'released'}>
          <p class="flow" role="status"><b>It flows.</b> {plural(flowed() ?? item().understood, 'value')} of this message went on as if just received. <a href="/devices">See the devices</a></p>
        </Show>
        <ul class="problems"><For each={item().problems}>{(p) => <li><b>{p.kind}</b> <Show when={p.path}><span class="mono">at {p.path}</span> </Show><span>{p.detail}</span></li>}</For></ul>
        <Show when={item().state === 'new'}>
          <h3>How the profiles of now read it <span class="chip" data-yield={props.detail.would_yield}>{props.detail.would_yield ? `would yield ${plural(props.detail.would_yield, 'value')}` : 'would yield nothing'}</span></h3>
          <TraceList trace={props.detail.trace} />
        </Show>
        <details open><summary>The message, whole</summary><div class="stack"><MessageFacts message={props.detail.message} /></div></details>
        <Show when={item().state === 'new' && item().protocol === 'mqtt' && may('manage-profiles')}>
          <ProfileEditor offset={item().offset} topic={item().address} profile={item().profile} payload={props.detail.message.payload} onSaved={props.onChange} />
        </Show>
      </div>
      <Show when={discarding()}><DiscardDialog offset={item().offset} onClose={() => setDiscarding(false)} onDone={props.onChange} /></Show>
    </>
  );
};

const DiscardDialog: Component<{ offset: number; onClose: () => void; onDone: () => void }> = (props) => {
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const reason = String(new FormData(event.currentTarget as HTMLFormElement).get('reason'));
    if (await attempt(() => api.discard(props.offset, reason).then(() => true), 'Discarded; it stays in the journal and in this list')) { props.onDone(); props.onClose(); }
  };
  return (
    <Dialog title={`Discard message ${props.offset}?`} onClose={props.onClose}>
      <form class="stack" onSubmit={(e) => void submit(e)}>
        <p>It leaves the list of new messages. Nothing is deleted: the journal keeps it, and it can be found under “Discarded”.</p>
        <label class="field">Reason (kept with the decision)<input name="reason" required autocomplete="off" autofocus /></label>
        <div class="dialog-foot"><button type="button" class="btn" onClick={() => props.onClose()}>Cancel</button><button class="btn primary">Discard</button></div>
      </form>
    </Dialog>
  );
};
