// A patient's privacy: consents, care team, who saw what; for the security officer the whole record as a file.
import { Show, type Component } from 'solid-js';
import { PatientTabs } from '../patient/PatientTabs';
import { ward } from '../live/store';
import { may } from '../session/session';
import { AccessesCard } from './AccessesCard';
import { CareTeamCard } from './CareTeamCard';
import { ConsentsCard } from './ConsentsCard';
import { exportUrl } from './privacy.api';
import '../patient/patient.css';
import './privacy.css';

const PrivacyPage: Component<{ params: Record<string, string> }> = (props) => {
  const id = () => props.params.patient ?? '';
  // Whoever may not see the patient sees the number alone.
  const name = () => ward.tiles[id()]?.patient.name ?? '';
  return (
    <div class="page narrow">
      <div class="page-head"><h1>Privacy{name() ? ` of ${name()}` : ''}</h1><span class="muted mono">{id()}</span><span class="grow" />
        <Show when={may('export-person')}><a class="btn small" href={exportUrl({ patient: id() })} download="record.zip">Export everything</a></Show>
      </div>
      <Show when={may('see-patients')}><PatientTabs patient={id()} at="privacy" /></Show>
      <ConsentsCard whose={{ patient: id() }} change={may('manage-consents')} />
      <CareTeamCard patient={id()} change={may('manage-consents')} />
      <Show when={may('see-audit')}><AccessesCard whose={{ patient: id() }} /></Show>
    </div>
  );
};
export default PrivacyPage;
