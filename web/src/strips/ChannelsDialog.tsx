// The channels of the patient, with what was not as it should be: gaps, repetitions, drift, each counted.
import { For, Show, type Component } from 'solid-js';
import type { WaveChannel } from '../api/types';
import { Dialog } from '../ui/Dialog';
import { when } from '../ui/format';
import { serverNow } from '../live/clock';
import { channelWord, countedWord, rateWord, reasonWord } from '../waves/channels';

export const ChannelsDialog: Component<{ channels: WaveChannel[]; onClose: () => void }> = (props) => (
  <Dialog title="Channels" onClose={props.onClose} side>
    <ul class="channel-list">
      <For each={props.channels}>
        {(c) => (
          <li>
            <h3>{channelWord(c)} <span class="muted">{rateWord(c.rate)}</span></h3>
            <dl class="facts">
              <dt>State</dt><dd>{c.live ? 'live' : c.recorded ? 'played back from a recording' : `last heard ${when(c.last_ms, serverNow())}`}</dd>
              <dt>Signal</dt><dd>{reasonWord(c.quality) || 'good'}<Show when={c.quality_index != null}> ({c.quality_index} of 100)</Show></dd>
              <dt>Kept from</dt><dd>{when(c.first_ms, serverNow())}</dd>
              <dt>Device</dt><dd><a class="mono" href={`/devices/${encodeURIComponent(c.device)}`}>{c.device}</a></dd>
              <Show when={c.drift_ppm != null}><dt>Clock drift</dt><dd>{c.drift_ppm} parts per million, corrected</dd></Show>
              <dt>Not as it should be</dt>
              <dd><Show when={Object.keys(c.counted).length} fallback="nothing"><ul><For each={Object.entries(c.counted)}>{([reason, n]) => <li>{countedWord(reason)}: {n.toLocaleString('en-GB')}</li>}</For></ul></Show></dd>
            </dl>
          </li>
        )}
      </For>
    </ul>
  </Dialog>
);
