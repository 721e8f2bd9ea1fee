// Who is at the screen and what the role may do. `null`: not asked yet; `false`: must log in.
import { createSignal } from 'solid-js';
import { api, ApiError, whenUnauthorised } from '../api/client';
import { calls, type Factor, type More } from './calls';
import type { Session, Setup } from '../api/types';

const [session, setSession] = createSignal<Session | null | false>(null);
const [failure, setFailure] = createSignal('');
const [setupNeeded, setSetupNeeded] = createSignal(false);
export const currentSession = session;
/** Why the session could not be asked for, when the server is not reached. */
export const sessionFailure = failure;
/** Whether there is no account yet: the first administrator is to be made. */
export const needsSetup = setupNeeded;

const [step, setStep] = createSignal<Factor[] | null>(null);
/** What may complete a login whose first step is done. */
export const loginStep = step;
export const restartLogin = () => setStep(null);
export const continueWith = (needs: Factor[]) => setStep(needs);

/** What the pages ask about; names as in the server's policy. */
export type Permission = 'see-security' | 'manage-firmware' | 'manage-clients' | 'see-patients' | 'act-on-alerts' | 'set-limits' | 'associate' | 'see-devices' | 'manage-devices' | 'see-quarantine' | 'release-quarantine' | 'manage-profiles' | 'manage-users'
  | 'use-break-glass' | 'review-access' | 'see-consents' | 'manage-consents' | 'see-audit' | 'export-person' | 'see-own-record' | 'manage-own-consent'
  | 'see-policy' | 'manage-policy' | 'see-burden' | 'manage-trust' | 'see-security';

/** Whether the person may do this. The server decides; this only keeps what would be refused off the screen. */
export function may(permission: Permission): boolean {
  const who = session();
  return !!who && who.may.includes(permission);
}

whenUnauthorised(() => setSession(false));
export const endSession = () => setSession(false);

export async function loadSession(): Promise<void> {
  try {
    setSession(await api.session());
    setFailure('');
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) {
      setFailure('');
      setSetupNeeded(await api.setupState().then((s) => s.needed, () => false));
      return;
    }
    setFailure(error instanceof Error ? error.message : String(error));
    window.setTimeout(() => void loadSession(), 3_000);
  }
}

/** Goes in, or on to the next step of the login. */
export function stepInto(answer: Session | More): void {
  if ('needs' in answer) {
    setStep(answer.needs);
    return;
  }
  setStep(null);
  setSession(answer);
}

export async function logIn(name: string, password: string): Promise<void> {
  stepInto(await calls.login(name, password));
}

export async function setUp(setup: Setup): Promise<void> {
  const answer = await api.setUp(setup);
  setSetupNeeded(false);
  if (window.location.pathname === '/setup') window.history.replaceState(null, '', '/');
  window.dispatchEvent(new PopStateEvent('popstate'));
  stepInto(answer);
}

export async function logOut(): Promise<void> {
  const answer = await api.logout().catch(() => undefined);
  setSession(false);
  // Whoever signed on at the identity provider logs out there too: the next at this screen is not them.
  if (answer?.provider) window.location.assign(answer.provider);
}
