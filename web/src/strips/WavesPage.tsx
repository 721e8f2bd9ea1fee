// All waveforms of a patient on one time axis: live, or any minute that is kept.
import { createSignal, onCleanup, onMount, Show, type Component } from 'solid-js';
import { keysEnabled, useShortcuts } from '../app/shortcuts';
import { isLive, ward } from '../live/store';
import { PatientHeader } from '../patient/PatientHeader';
import { PatientTabs } from '../patient/PatientTabs';
import { usePatient } from '../patient/patient.state';
import { LiveStrip } from './LiveStrip';
import { Overview } from './Overview';
import { StillStrip } from './StillStrip';
import { StripBar } from './StripBar';
import { useStrips } from './useStrips';
import '../ward/tile.css';
import '../patient/patient.css';
import './strips.css';

const WavesPage: Component<{ params: Record<string, string> }> = (props) => {
  const id = () => props.params.patient ?? '';
  const model = usePatient(id);
  const s = useStrips(id);
  const [holding, setHolding] = createSignal(false);
  const [connected, setConnected] = createSignal(false);
  let box!: HTMLDivElement;
  onMount(() => {
    const seen = new ResizeObserver(() => s.setWidth(Math.max(240, Math.floor(box.clientWidth))));
    seen.observe(box);
    s.setWidth(Math.max(240, Math.floor(box.clientWidth)));
    document.addEventListener('keydown', key);
    onCleanup(() => { seen.disconnect(); document.removeEventListener('keydown', key); });
  });
  useShortcuts([
    { keys: 'c', does: 'Calipers', run: () => s.toggleCalipers() },
    { keys: 'l', does: 'Live', run: () => s.follow() },
    { keys: 'k', does: 'Keep this strip for ever', run: () => { if (!s.live()) setHolding(true); } },
  ]);
  /** Arrows and pages move, the space bar freezes, unless what has the focus uses these keys itself. */
  const key = (event: KeyboardEvent) => {
    const at = event.target as HTMLElement;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]') || at.closest('input, select, textarea, [role=slider]')) return;
    if (event.key === ' ') {
      if (!keysEnabled() || at.closest('button, a, summary')) return;
      if (s.live()) s.freeze(); else s.follow();
      event.preventDefault();
    } else if (s.move(event.key, event.shiftKey)) event.preventDefault();
  };
  return (
    <div class="page patient strips" classList={{ 'not-live': !isLive() }}>
      <Show when={model.tile() ?? ward.tiles[id()]}>{(tile) => <PatientHeader tile={tile()} />}</Show>
      <PatientTabs patient={id()} at="waves" tile={model.tile() ?? ward.tiles[id()]} />
      <Show when={s.error()}>{(text) => <p class="error" role="alert">{text()}</p>}</Show>
      <section class="card strip-card" aria-label="Waveforms">
        <StripBar strips={s} patient={id()} holding={holding()} connected={connected()} onHold={setHolding} />
        <div ref={box} class="strip-box">
          <Show when={s.known()} fallback={<p class="empty" role="status">Loading the waveforms…</p>}>
            <Show when={s.channels().length} fallback={<p class="empty">No device has sent a waveform of this patient.</p>}>
              <Show when={s.from() !== null} fallback={<LiveStrip strips={s} patient={id()} onLive={setConnected} />}><StillStrip strips={s} from={s.from()!} /></Show>
            </Show>
          </Show>
        </div>
        <Show when={s.channels().length}><Overview strips={s} patient={id()} /></Show>
        <Show when={!s.live() && s.source().failure() && s.loaded()}><p class="error" role="status">{s.source().failure()}</p></Show>
      </section>
    </div>
  );
};
export default WavesPage;
