// What all pages of the laboratory have in common: heading, the way between trying and versions.
import { Show, type ParentComponent } from 'solid-js';
import { may } from '../session/session';
import { Unreviewed } from './Unreviewed';
import './laboratory.css';

export const LabFrame: ParentComponent<{ at: 'try' | 'versions'; state?: string }> = (props) => (
  <div class="page lab-page">
    <div class="page-head">
      <h1>Alarm laboratory</h1>
      <nav class="lab-tabs" aria-label="Laboratory">
        <a href="/laboratory" aria-current={props.at === 'try' ? 'page' : undefined}>Try a change</a>
        <a href="/laboratory/versions" aria-current={props.at === 'versions' ? 'page' : undefined}>Versions</a>
      </nav>
      <span class="grow" />
      <Show when={may('see-burden')}><a class="btn small" href="/burden">Alarm burden</a></Show>
    </div>
    <Unreviewed state={props.state} />
    {props.children}
  </div>
);
