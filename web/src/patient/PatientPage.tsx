// Everything about one patient.
import { Show, type Component } from 'solid-js';
import { isLive } from '../live/store';
import { offer, refusedPatient } from '../privacy/emergency.state';
import { sentence } from '../ui/format';
import { AlertsCard } from './AlertsCard';
import { DevicesCard } from './DevicesCard';
import { LimitsCard } from './LimitsCard';
import { OtherScores } from './OtherScores';
import { OwnNormalCard } from './OwnNormalCard';
import { useOwnNormals } from './ownNormal.state';
import { PatientHeader } from './PatientHeader';
import { PatientTabs } from './PatientTabs';
import { RisksCard } from './RisksCard';
import { ScoreCard } from './ScoreCard';
import { TrendsCard } from './TrendsCard';
import { usePatient } from './patient.state';
import { ValueStrip } from './ValueStrip';
import { PathwaysCard } from '../worklist/PathwaysCard';
import '../alerts/alerts.css';
import '../ward/tile.css';
import './patient.css';

const PatientPage: Component<{ params: Record<string, string> }> = (props) => {
  const id = () => props.params.patient ?? '';
  const model = usePatient(id);
  const own = useOwnNormals(id, () => JSON.stringify(model.page?.limits ?? []));
  return (
    <div class="page patient" classList={{ 'not-live': !isLive() }}>
      <Show when={isLive() && model.error()}>{(text) => (
        <div class="error row" role="alert"><span>{sentence(text())}</span>
          <Show when={refusedPatient() === id()}><button type="button" class="btn" onClick={() => offer(id())}>Open in an emergency…</button></Show>
        </div>
      )}</Show>
      <Show when={model.tile()}>
        {(tile) => (
          <>
            <PatientHeader tile={tile()} />
            <PatientTabs patient={id()} at="overview" />
            <ValueStrip tile={tile()} />
          </>
        )}
      </Show>
      <Show when={model.page} fallback={<Show when={!model.error()}><p class="empty" role="status">Loading the patient…</p></Show>}>
        {(page) => (
          <div class="patient-columns">
            <TrendsCard patient={id()} page={page()} own={own.all()} />
            <div class="patient-side">
              <PathwaysCard patient={id()} name={model.tile()?.patient.name ?? ''} />
              <AlertsCard alerts={page().alerts} onChange={() => void model.reload()} />
              <Show when={model.tile()?.score ?? page().scores[0]}>
                {(score) => <ScoreCard score={score()} patient={id()} scale={page().spo2_scale} tile={model.tile()} onChange={() => void model.reload()} />}
              </Show>
              <RisksCard risks={page().risks} now={page().now_ms} />
              <OtherScores scores={page().scores} not={model.tile()?.score?.name ?? ''} tile={model.tile()} />
              <LimitsCard patient={id()} page={page()} onChange={() => void model.reload()} />
              <OwnNormalCard patient={id()} model={own} onChange={() => void model.reload()} />
              <DevicesCard patient={id()} associations={page().associations} onChange={() => void model.reload()} />
            </div>
          </div>
        )}
      </Show>
    </div>
  );
};
export default PatientPage;
