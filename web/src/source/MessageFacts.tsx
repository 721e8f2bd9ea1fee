// A received message: how it came, and its payload whole.
import { createSignal, Show, type Component } from 'solid-js';
import type { MessageView } from '../api/types';
import { bytes, exactTime } from '../ui/format';
import { layOut } from './source.state';

const PROTOCOL: Record<string, string> = { mqtt: 'MQTT', mllp: 'HL7 v2 over MLLP', fhir: 'FHIR', http: 'HTTP', internal: 'Vitalwire itself' };
export const protocolName = (p: string): string => PROTOCOL[p] ?? p;

export const MessageFacts: Component<{ message: MessageView }> = (props) => {
  const [raw, setRaw] = createSignal(false);
  const m = () => props.message;
  return (
    <>
      <dl class="facts">
        <dt>Protocol</dt><dd>{protocolName(m().protocol)}</dd>
        <dt>{m().protocol === 'mqtt' ? 'Topic' : 'Type'}</dt><dd class="mono">{m().address}</dd>
        <dt>Sender</dt><dd class="mono">{m().sender || '–'}</dd>
        <Show when={m().message_id}><dt>Message id</dt><dd class="mono">{m().message_id}</dd></Show>
        <Show when={m().profile}><dt>Profile</dt><dd class="mono">{m().profile}</dd></Show>
        <dt>Received</dt><dd>{exactTime(m().received_ms)}</dd>
        <dt>Size</dt><dd>{bytes(m().size)}</dd>
      </dl>
      <div>
        <div class="row payload-head">
          <h3>Payload</h3>
          <span class="muted small">{m().payload_format === 'hex' ? 'hexadecimal' : raw() ? 'as received' : 'laid out'}{m().payload.length < m().size && m().payload_format === 'text' && m().size > 65_000 ? ', first 64 KiB' : ''}</span>
          <button type="button" class="btn quiet small" aria-pressed={raw()} onClick={() => setRaw(!raw())}>As received</button>
        </div>
        <pre class="payload" tabindex="0" aria-label="Payload">{raw() ? m().payload : layOut(m().payload, m().payload_format)}</pre>
      </div>
    </>
  );
};
