// Every address of the program, in one list.
import { lazy, type Component } from 'solid-js';
import type { Permission } from '../session/session';
import { WardPage } from '../ward/WardPage';

export interface Route {
  path: string;
  /** Name in the navigation; without one the route is reached from other pages. */
  nav?: string;
  /** Second key after `g`. */
  key?: string;
  title: string;
  /** What the role must be allowed; none: whoever is logged in. */
  needs: Permission | null;
  /** Stands in the navigation only of whoever may do this as well; others reach the page by its address. */
  navFor?: Permission;
  page: Component<{ params: Record<string, string> }>;
}

const alerts = lazy(() => import('../alerts/AlertsPage'));
const worklist = lazy(() => import('../worklist/WorklistPage'));
const devices = lazy(() => import('../devices/DevicesPage'));
const scan = lazy(() => import('../scan/ScanPage'));
const quarantine = lazy(() => import('../quarantine/QuarantinePage'));
const patient = lazy(() => import('../patient/PatientPage'));
const waves = lazy(() => import('../strips/WavesPage'));
const disclosure = lazy(() => import('../disclosure/DisclosurePage'));
const clients = lazy(() => import('../clients/ClientsPage'));
const account = lazy(() => import('../account/AccountPage'));
const users = lazy(() => import('../users/UsersPage'));
const print = lazy(() => import('../print/PrintPage'));
const emergency = lazy(() => import('../privacy/EmergencyPage'));
const reviews = lazy(() => import('../privacy/ReviewsPage'));
const privacy = lazy(() => import('../privacy/PrivacyPage'));
const me = lazy(() => import('../privacy/MePage'));
const fleet = lazy(() => import('../fleet/FleetPage'));
const trust = lazy(() => import('../trust/TrustPage'));
const burden = lazy(() => import('../burden/BurdenPage'));
const burdenReport = lazy(() => import('../burden/ReportPage'));
const laboratory = lazy(() => import('../laboratory/LaboratoryPage'));
const laboratoryRun = lazy(() => import('../laboratory/RunPage'));
const policyVersions = lazy(() => import('../laboratory/VersionsPage'));
const policyVersion = lazy(() => import('../laboratory/VersionPage'));
const audit = lazy(() => import('../audit/AuditPage'));
const models = lazy(() => import('../models/ModelsPage'));
const station = lazy(() => import('../station/StationPage'));
/** Whether a route is for whoever may do what `may` says. */
export const open = (route: Route, may: (permission: Permission) => boolean): boolean => route.needs === null || may(route.needs);
/** Whether it stands in their navigation. */
export const listed = (route: Route, may: (permission: Permission) => boolean): boolean => !!route.nav && open(route, may) && (!route.navFor || may(route.navFor));

export const ROUTES: Route[] = [
  { path: '/', nav: 'Ward', key: 'w', title: 'Ward', needs: 'see-patients', page: WardPage },
  { path: '/waves', nav: 'Waves', key: 'e', title: 'Waveforms', needs: 'see-patients', page: station },
  { path: '/alerts', nav: 'Alerts', key: 'a', title: 'Alerts', needs: 'see-patients', page: alerts },
  { path: '/alerts/:episode', title: 'Alert', needs: 'see-patients', page: alerts },
  { path: '/worklist', nav: 'Worklist', key: 'n', title: 'Who needs a look next', needs: 'see-patients', page: worklist },
  { path: '/devices', nav: 'Devices', key: 'd', title: 'Devices', needs: 'see-devices', page: devices },
  { path: '/devices/:device', title: 'Device', needs: 'see-devices', page: devices },
  { path: '/scan', key: 's', title: 'Put a device on a patient', needs: 'associate', page: scan },
  { path: '/fleet', nav: 'Fleet', key: 'f', title: 'Fleet', needs: 'see-security', page: fleet },
  { path: '/quarantine', nav: 'Quarantine', key: 'q', title: 'Quarantine', needs: 'see-quarantine', page: quarantine },
  { path: '/trust', nav: 'Trust', key: 't', title: 'Trust in devices', needs: 'see-security', page: trust },
  { path: '/trust/:device', title: 'Trust in a device', needs: 'see-security', page: trust },
  { path: '/quarantine/:offset', title: 'Quarantined message', needs: 'see-quarantine', page: quarantine },
  { path: '/clients', nav: 'Applications', key: 'p', title: 'Applications', needs: 'manage-clients', page: clients },
  { path: '/patients/:patient', title: 'Patient', needs: 'see-patients', page: patient },
  { path: '/patients/:patient/waves', title: 'Waveforms of a patient', needs: 'see-patients', page: waves },
  { path: '/patients/:patient/disclosure', title: 'Full disclosure', needs: 'see-patients', page: disclosure },
  { path: '/patients/:patient/print', title: 'Print strips', needs: 'see-patients', page: print },
  { path: '/patients/:patient/privacy', title: 'Privacy of a patient', needs: 'see-consents', page: privacy },
  { path: '/models', nav: 'Models', title: 'Risk models', needs: 'see-patients', page: models },
  { path: '/models/:model', title: 'A risk model', needs: 'see-patients', page: models },
  { path: '/emergency', title: 'Emergency access', needs: 'use-break-glass', page: emergency },
  { path: '/reviews', nav: 'Reviews', key: 'r', title: 'Emergency accesses to review', needs: 'review-access', page: reviews },
  { path: '/burden', nav: 'Burden', key: 'b', title: 'Alarm burden', needs: 'see-burden', page: burden },
  { path: '/burden/:report', title: 'Alarm burden of a week', needs: 'see-burden', page: burdenReport },
  { path: '/laboratory', nav: 'Laboratory', navFor: 'see-burden', key: 'o', title: 'Alarm laboratory', needs: 'see-policy', page: laboratory },
  { path: '/laboratory/runs/:run', title: 'A policy tried on the past', needs: 'see-policy', page: laboratoryRun },
  { path: '/laboratory/versions', title: 'Versions of the alarm policy', needs: 'see-policy', page: policyVersions },
  { path: '/laboratory/versions/:number', title: 'A version of the alarm policy', needs: 'see-policy', page: policyVersion },
  { path: '/audit', nav: 'Audit', key: 'l', title: 'Audit log', needs: 'see-audit', page: audit },
  { path: '/me', nav: 'My record', key: 'm', title: 'My record', needs: 'see-own-record', page: me },
  { path: '/account', key: 'c', title: 'Your account', needs: null, page: account },
  { path: '/users', nav: 'Users', key: 'u', title: 'Users', needs: 'manage-users', page: users },
];
