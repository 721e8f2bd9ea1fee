// Every address of the program, in one list.
import { lazy, type Component } from 'solid-js';
import { WardPage } from '../ward/WardPage';

export interface Route {
  path: string;
  /** Name in the navigation; without one the route is reached from other pages. */
  nav?: string;
  /** Second key after `g`. */
  key?: string;
  title: string;
  page: Component<{ params: Record<string, string> }>;
}

const alerts = lazy(() => import('../alerts/AlertsPage'));
const devices = lazy(() => import('../devices/DevicesPage'));
const quarantine = lazy(() => import('../quarantine/QuarantinePage'));
const patient = lazy(() => import('../patient/PatientPage'));

export const ROUTES: Route[] = [
  { path: '/', nav: 'Ward', key: 'w', title: 'Ward', page: WardPage },
  { path: '/alerts', nav: 'Alerts', key: 'a', title: 'Alerts', page: alerts },
  { path: '/alerts/:episode', title: 'Alert', page: alerts },
  { path: '/devices', nav: 'Devices', key: 'd', title: 'Devices', page: devices },
  { path: '/devices/:device', title: 'Device', page: devices },
  { path: '/quarantine', nav: 'Quarantine', key: 'q', title: 'Quarantine', page: quarantine },
  { path: '/quarantine/:offset', title: 'Quarantined message', page: quarantine },
  { path: '/patients/:patient', title: 'Patient', page: patient },
];
