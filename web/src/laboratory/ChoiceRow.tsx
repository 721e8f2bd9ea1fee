// One chosen number: a new value by slider or box, or a range to sweep.
import { createUniqueId, Show, type Component } from 'solid-js';
import { plural } from '../ui/format';
import { belongsTo, numberWords, reach, valueWords } from './numbers.state';
import { valuesOf, type Choice } from './plan.state';

export const ChoiceRow: Component<{ choice: Choice; onChange: (part: Partial<Choice>) => void; onRemove: () => void }> = (props) => {
  const name = createUniqueId();
  const p = () => props.choice.parameter;
  const slide = () => reach(p());
  const unit = () => (p().unit ? ` (${p().unit})` : '');
  const part = (key: 'from' | 'to' | 'step', title: string) => (
    <label class="field">{title}{unit()}<input inputmode="decimal" autocomplete="off" value={props.choice[key]} onInput={(e) => props.onChange({ [key]: e.currentTarget.value })} /></label>
  );
  return (
    <div class="lab-choice" role="group" aria-labelledby={name}>
      <div class="row">
        <span id={name} class="lab-number"><b>{belongsTo(p())}</b> <span>{numberWords(p())}</span></span>
        <button type="button" class="btn small quiet" onClick={() => props.onRemove()} aria-label={`Leave out: ${belongsTo(p())} ${numberWords(p())}`}>✕</button>
      </div>
      <div class="row">
        <span class="small muted">now {valueWords(p().value, p().unit)}</span>
        <div class="segments" role="group" aria-label="One value or a range">
          <button type="button" aria-pressed={props.choice.mode === 'set'} onClick={() => props.onChange({ mode: 'set' })}>One value</button>
          <button type="button" aria-pressed={props.choice.mode === 'sweep'} onClick={() => props.onChange({ mode: 'sweep' })}>Try a range</button>
        </div>
      </div>
      <Show when={props.choice.mode === 'set'} fallback={<div class="lab-range">{part('from', 'From')}{part('to', 'To')}{part('step', 'In steps of')}<span class="small muted">{plural(valuesOf(props.choice), 'value')}</span></div>}>
        <div class="lab-set">
          <Show when={slide()}>
            {(s) => <input type="range" aria-label="New value, slider" min={s().min} max={s().max} step={s().step} value={props.choice.value} aria-valuetext={valueWords(Number(props.choice.value), p().unit)} onInput={(e) => props.onChange({ value: e.currentTarget.value })} />}
          </Show>
          <label class="field">New value{unit()}<input inputmode="decimal" autocomplete="off" value={props.choice.value} onInput={(e) => props.onChange({ value: e.currentTarget.value })} /></label>
        </div>
      </Show>
    </div>
  );
};
