// What a person can do to an alert: acknowledge, snooze with a reason, escalate, reset (AL-5).
import { createSignal, Match, Show, Switch, type Component } from 'solid-js';
import { api, type AlertVerb } from '../api/client';
import type { Alert, AlertAction } from '../api/types';
import { putAlert } from '../live/store';
import { may } from '../session/session';
import { attempt } from '../ui/toast';
import { EscalateDialog, SnoozeDialog } from './AlertDialogs';

const DONE: Record<AlertVerb, string> = { acknowledge: 'Acknowledged', snooze: 'Snoozed', escalate: 'Escalated', reset: 'Reset', judge: 'Judged' };

/** Does it and shows the new state at once, without waiting for the stream. */
export async function act(alert: Alert, verb: AlertVerb, action: AlertAction): Promise<boolean> {
  const next = await attempt(() => api.act(alert.episode, verb, action), `${DONE[verb]}: ${alert.title}`);
  if (next) putAlert(next);
  return !!next;
}

interface AlertActionsProps { alert: Alert; compact?: boolean; onChange?: () => void }

export const AlertActions: Component<AlertActionsProps> = (props) => {
  const [asking, setAsking] = createSignal<'snooze' | 'escalate' | null>(null);
  const run = async (verb: AlertVerb, action: AlertAction = { reason: '' }) => {
    if (await act(props.alert, verb, action)) {
      setAsking(null);
      props.onChange?.();
    }
  };
  const state = () => props.alert.state;
  const about = () => <span class="sr-only"> {props.alert.title}, {props.alert.location?.name ?? ''}</span>;
  const small = () => ({ small: props.compact });
  return (
    <div class="alert-actions">
      <Show when={state() !== 'resolved' && may('act-on-alerts')}>
        <Show when={state() === 'latched'}><button type="button" class="btn primary" classList={small()} onClick={() => void run('reset')}>Reset{about()}</button></Show>
        <Show when={state() === 'raised' || state() === 'snoozed'}><button type="button" class="btn primary" classList={small()} data-act="acknowledge" onClick={() => void run('acknowledge')}>Acknowledge{about()}</button></Show>
        <Show when={state() === 'raised' || state() === 'acknowledged'}><button type="button" class="btn" classList={small()} data-act="snooze" onClick={() => setAsking('snooze')}>Snooze…{about()}</button></Show>
        <Show when={state() !== 'latched'}><button type="button" class="btn" classList={small()} data-act="escalate" onClick={() => setAsking('escalate')}>Escalate…{about()}</button></Show>
      </Show>
      <Switch>
        <Match when={asking() === 'snooze'}><SnoozeDialog alert={props.alert} onClose={() => setAsking(null)} onGo={(a) => void run('snooze', a)} /></Match>
        <Match when={asking() === 'escalate'}><EscalateDialog alert={props.alert} onClose={() => setAsking(null)} onGo={(a) => void run('escalate', a)} /></Match>
      </Switch>
    </div>
  );
};
