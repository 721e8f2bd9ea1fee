// What the keys do, and what the signs mean.
import { For, Show, type Component } from 'solid-js';
import { AlarmMark } from '../ui/AlarmMark';
import { ROLE_WORD } from '../privacy/words';
import { Dialog } from '../ui/Dialog';
import { currentSession, logOut, may } from '../session/session';
import { open, ROUTES } from './routes';
import { enableKeys, keysEnabled } from './shortcuts';

const KEYS: [string, string][] = [
  ['?', 'This help'],
  ['g w', 'Ward'],
  ['g e', 'Waveforms of all beds'],
  ['g a', 'Alerts'],
  ['g d', 'Devices'],
  ['g f', 'Fleet: inventory, updates, vulnerabilities'],
  ['g q', 'Quarantine'],
  ['g t', 'Trust in devices, security events'],
  ['g r', 'Emergency accesses to review'],
  ['g l', 'Audit log'],
  ['g b', 'Alarm burden'],
  ['g o', 'Alarm laboratory: try another alarm policy on the past'],
  ['g p', 'Applications'],
  ['g u', 'Users'],
  ['g m', 'The own record, for patients'],
  ['g c', 'Your account'],
  ['/', 'Search or filter on this page'],
  ['← ↑ → ↓', 'From bed to bed, or from row to row'],
  ['Home End', 'First and last bed'],
  ['Enter', 'Open the patient'],
  ['a', 'Acknowledge the alert in focus'],
  ['s', 'Snooze the alert in focus'],
  ['Esc', 'Close a panel'],
];

const WAVE_KEYS: [string, string][] = [
  ['[ ]', 'Page of beds, or hour, before and after'],
  ['Space', 'Freeze the waveforms, or follow them live'],
  ['← →', 'One second back or on; with Shift ten'],
  ['PgUp PgDn', 'One screen back or on; in full disclosure one hour'],
  ['Home End', 'To the first and the last that is kept'],
  ['c', 'Calipers: ← → moves the cursor in focus (Shift: faster), ↑ ↓ changes the channel, Tab goes to the other cursor'],
  ['k', 'Keep the strip for ever'],
  ['l', 'Live'],
];

export const HelpDialog: Component<{ onClose: () => void }> = (props) => (
  <Dialog title="Keys and signs" onClose={props.onClose}>
    <dl class="keys">
      <For each={KEYS.filter(([keys]) => !keys.startsWith('g ') || ROUTES.some((r) => keys === `g ${r.key}` && open(r, may)))}>{([keys, does]) => (<><dt><kbd>{keys}</kbd></dt><dd>{does}</dd></>)}</For>
    </dl>
    <h3>Waveforms</h3>
    <dl class="keys">
      <For each={WAVE_KEYS}>{([keys, does]) => (<><dt><kbd>{keys}</kbd></dt><dd>{does}</dd></>)}</For>
    </dl>
    <label class="check">
      <input type="checkbox" checked={keysEnabled()} onChange={(e) => enableKeys(e.currentTarget.checked)} />
      Single keys act (arrows, Enter and Escape always do)
    </label>
    <h3>Signs</h3>
    <ul class="signs">
      <li><AlarmMark priority="high" /> act at once</li>
      <li><AlarmMark priority="medium" /> act soon</li>
      <li><AlarmMark priority="low" /> be aware</li>
      <li><span class="cell-value stale"><s>88</s></span> too old to be the present value; the age stands beside it</li>
      <li><span class="cell-value doubtful"><span class="n">88</span></span>? not believed: artefact, implausible, or the device itself doubts it</li>
      <li><span class="badge-recorded">REC</span> played back from a recording, never live</li>
      <li><b>N S V P F Q</b> a beat: normal, supraventricular (▲), ventricular (▼), paced (■), fusion (◆), not classifiable (○)</li>
      <li><span class="pts p1">+1</span> <span class="pts p2">+2</span> <span class="pts p3">+3</span> points that the value adds to the early-warning score</li>
    </ul>
    <Show when={currentSession() || null}>
      {(s) => (
        <div class="row">
          <span class="muted">{s().open ? 'Open trial, without accounts' : `${s().name}, ${ROLE_WORD[s().role] ?? s().role}`} · Vitalwire {s().version}</span>
          <Show when={!s().open}><a class="btn small" href="/account" onClick={() => props.onClose()}>Your account</a></Show>
          <Show when={!s().open}><button type="button" class="btn small" onClick={() => void logOut()}>Log out</button></Show>
        </div>
      )}
    </Show>
  </Dialog>
);
