// What a clinician says that an alert was: kept with the alert, asked for by nobody, of use to the house's figures.
import { For, Show, type Component } from 'solid-js';
import { api } from '../api/client';
import type { Alert, AlertHistory } from '../api/types';
import { may } from '../session/session';
import { attempt } from '../ui/toast';
import { VERDICTS } from './alerts.state';

export const AlertJudge: Component<{ alert: Alert; events: AlertHistory['events']; onChange: () => void }> = (props) => {
  const last = () => props.events.filter((e) => e.kind === 'judged').at(-1)?.verdict ?? '';
  const judge = async (verdict: string, title: string) => {
    const done = await attempt(() => api.act(props.alert.episode, 'judge', { verdict, reason: '' }), `Judged: ${title}`);
    if (done) props.onChange();
  };
  return (
    <Show when={may('act-on-alerts')}>
      <div class="judge row">
        <span class="small" id="judge-label">What was it?</span>
        <div class="segments" role="group" aria-labelledby="judge-label">
          <For each={VERDICTS}>{(v) => <button type="button" aria-pressed={last() === v.name} title={v.meaning} onClick={() => void judge(v.name, v.title)}>{v.title}</button>}</For>
        </div>
      </div>
    </Show>
  );
};
