// The audible alarm on this screen: off, on, or paused with the time that is left (IEC 60601-1-8: AUDIO PAUSED is shown).
import { Match, Switch, type Component } from 'solid-js';
import { nowMs } from '../live/clock';
import { countdown } from '../ui/format';
import { pauseSound, pausedUntil, soundBlocked, soundOn, soundOff, startSound } from './sound';

const Icon: Component<{ on: boolean }> = (props) => (
  <svg class="sound-icon" viewBox="0 0 16 16" aria-hidden="true">
    <path d="M2 6v4h2.5L8 13V3L4.5 6Z" />
    <path d={props.on ? 'M10.5 5.5a3.5 3.5 0 0 1 0 5M12.6 3.5a6.4 6.4 0 0 1 0 9' : 'M11 6l4 4M15 6l-4 4'} />
  </svg>
);

export const SoundControl: Component = () => (
  <Switch fallback={
    <button type="button" class="btn quiet small" onClick={() => void startSound()} title="This screen makes no sound. Turn the audible alarm on">
      <Icon on={false} /><span class="wide-only">Sound off</span><span class="sr-only narrow-only">Sound off</span>
    </button>
  }>
    <Match when={soundBlocked()}>
      <button type="button" class="btn small sound-paused" onClick={() => void startSound()} title="The browser or the machine plays nothing"><Icon on={false} />Sound blocked</button>
    </Match>
    <Match when={pausedUntil()}>
      {(until) => (
        <span class="sound-pair">
          <button type="button" class="btn small sound-paused" onClick={() => void startSound()} title="Sounds again by itself; click to end the pause"><Icon on={false} /><span class="wide-only">Audio paused</span> {countdown(until() - nowMs())}</button>
          <button type="button" class="btn quiet small" onClick={() => soundOff()}>Turn off</button>
        </span>
      )}
    </Match>
    <Match when={soundOn()}>
      <button type="button" class="btn quiet small" aria-pressed="true" onClick={() => pauseSound()} title="Pause the audible alarm for two minutes">
        <Icon on /><span class="wide-only">Sound on</span><span class="sr-only narrow-only">Sound on</span>
      </button>
    </Match>
  </Switch>
);
