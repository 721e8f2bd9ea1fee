// Asks why, before something that others will ask about.
import type { Component } from 'solid-js';
import { Dialog } from '../ui/Dialog';

export const WhyDialog: Component<{ title: string; action: string; onClose: () => void; onSay: (why: string) => void }> = (props) => {
  const say = (event: SubmitEvent) => {
    event.preventDefault();
    props.onSay(String(new FormData(event.currentTarget as HTMLFormElement).get('why') ?? ''));
  };
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <form class="stack" onSubmit={say}>
        <label class="field">Why?<input class="input" name="why" required maxlength="500" /></label>
        <div class="dialog-foot"><button type="button" class="btn" onClick={() => props.onClose()}>Cancel</button><button type="submit" class="btn primary">{props.action}</button></div>
      </form>
    </Dialog>
  );
};
