// Makes millimetres true on this screen: one holds a ruler to the line and says how long it is.
import { createSignal, type Component } from 'solid-js';
import { Dialog } from '../ui/Dialog';
import { toast } from '../ui/toast';
import { pxPerMm, rulerFactor, rulerFrom, RULER_LIMITS, setRuler } from '../waves/paper';

const LINE_MM = 100;

export const RulerDialog: Component<{ onClose: () => void }> = (props) => {
  const [error, setError] = createSignal('');
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const measured = Number(new FormData(event.currentTarget as HTMLFormElement).get('mm'));
    const factor = (rulerFactor() * LINE_MM) / measured;
    if (!(factor >= RULER_LIMITS[0] && factor <= RULER_LIMITS[1])) return setError('That cannot be: the line would be half or twice as long as it is meant to be.');
    setRuler(rulerFrom(LINE_MM, measured, rulerFactor()));
    toast('25 mm/s and 10 mm/mV are true on this screen now');
    props.onClose();
  };
  return (
    <Dialog title="Ruler" onClose={props.onClose}>
      <form class="stack" onSubmit={submit}>
        <p>Hold a ruler to the screen. How long is this line? It is kept on this machine; do it once for each monitor. Paper is true without it.</p>
        <svg class="ruler" style={{ width: `${LINE_MM * pxPerMm() + 2}px` }} height="26" role="img" aria-label="A line that is meant to be 100 mm long">
          <path d={`M1 2V24M1 13H${LINE_MM * pxPerMm() + 1}M${LINE_MM * pxPerMm() + 1} 2V24`} fill="none" stroke="currentColor" stroke-width="1.5" />
        </svg>
        <label class="field">Length in millimetres<input name="mm" type="number" min="40" max="220" step="0.1" value={LINE_MM} required /></label>
        <p class="error" role="alert" hidden={!error()}>{error()}</p>
        <div class="dialog-foot">
          <button type="button" class="btn" onClick={() => { setRuler(1); props.onClose(); }}>As the browser says</button>
          <button class="btn primary">Set</button>
        </div>
      </form>
    </Dialog>
  );
};
