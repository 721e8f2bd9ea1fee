// A new edge, with the command that starts it; and what an edge sends.
import { createSignal, Show, type Component } from 'solid-js';
import { Dialog } from '../ui/Dialog';
import { attempt } from '../ui/toast';
import { fleet, type EdgeView } from './fleet.api';

export const NewEdgeDialog: Component<{ onClose: () => void }> = (props) => {
  const [made, setMade] = createSignal<{ id: string; code: string }>();
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const id = String(form.get('id') ?? '').trim();
    const answer = await attempt(() => fleet.addEdge(id, String(form.get('name') ?? '').trim()));
    if (answer) setMade({ id, code: answer.code });
  };
  return (
    <Dialog title="New edge" onClose={props.onClose}>
      <Show when={made()} fallback={
        <form class="stack" onSubmit={(e) => void save(e)}>
          <label class="field">Id<input class="input mono" name="id" required maxlength="64" pattern="[A-Za-z0-9.\-]+" autocomplete="off" /></label>
          <p class="small muted">Letters, digits, dots and hyphens, such as ward-7. It cannot be changed later.</p>
          <label class="field">Name<input class="input" name="name" maxlength="200" placeholder="Ward 7" /></label>
          <div class="dialog-foot"><button type="button" class="btn" onClick={() => props.onClose()}>Cancel</button><button type="submit" class="btn primary">Register</button></div>
        </form>
      }>
        {(edge) => (
          <div class="stack">
            <p>Start it on the ward's computer with this command. The code is shown once, holds once, and for a day.</p>
            <pre class="edge-command" tabindex="0" aria-label="Command">{`vitalwire edge --data /var/lib/vitalwire-edge --centre ${location.origin} --id ${edge().id} --code ${edge().code}`}</pre>
            <div class="dialog-foot"><button type="button" class="btn primary" onClick={() => props.onClose()}>Done</button></div>
          </div>
        )}
      </Show>
    </Dialog>
  );
};

export const EdgeRulesDialog: Component<{ edge: EdgeView; onClose: () => void }> = (props) => {
  const rules = () => props.edge.rules;
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => String(form.get(name) ?? '');
    const wanted = {
      waveforms: text('waveforms'), around_priority: text('priority'), around_alerts_s: Number(text('around')) || 0, numerics_every_s: Number(text('every')) || 0,
    };
    if (await attempt(() => fleet.ruleEdge(props.edge.id, wanted).then(() => true), 'The edge follows the new rules within seconds of its next word.')) props.onClose();
  };
  return (
    <Dialog title={`What ${props.edge.name || props.edge.id} sends`} onClose={props.onClose}>
      <form class="stack" onSubmit={(e) => void save(e)}>
        <label class="field">Waveforms
          <select class="input" name="waveforms">
            <option value="all" selected={rules().waveforms === 'all'}>All</option>
            <option value="around-alerts" selected={rules().waveforms === 'around-alerts'}>Around alerts only</option>
            <option value="none" selected={rules().waveforms === 'none'}>None</option>
          </select>
        </label>
        <label class="field">Seconds between two values of a metric; 0: every value<input class="input" type="number" name="every" min="0" max="3600" value={rules().numerics_every_s} /></label>
        <label class="field">Around alerts of priority
          <select class="input" name="priority">
            <option value="low" selected={rules().around_priority !== 'medium' && rules().around_priority !== 'high'}>Low, medium and high</option>
            <option value="medium" selected={rules().around_priority === 'medium'}>Medium and high</option>
            <option value="high" selected={rules().around_priority === 'high'}>High only</option>
          </select>
        </label>
        <label class="field">Seconds around such an alert: waveforms before and after it, every value after it<input class="input" type="number" name="around" min="0" max="3600" value={rules().around_alerts_s} /></label>
        <p class="small muted">The edge sees and judges every value whatever it sends. What it does not send is counted and listed; it cannot be fetched later.</p>
        <div class="dialog-foot"><button type="button" class="btn" onClick={() => props.onClose()}>Cancel</button><button type="submit" class="btn primary">Save</button></div>
      </form>
    </Dialog>
  );
};
