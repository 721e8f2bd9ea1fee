// Who is at the screen. `null`: not asked yet; `false`: must log in.
import { createSignal } from 'solid-js';
import { api, ApiError, whenUnauthorised } from '../api/client';
import type { Session } from '../api/types';

const [session, setSession] = createSignal<Session | null | false>(null);
const [failure, setFailure] = createSignal('');
export const currentSession = session;
/** Why the session could not be asked for, when the server is not reached. */
export const sessionFailure = failure;

whenUnauthorised(() => setSession(false));
export const endSession = () => setSession(false);

export async function loadSession(): Promise<void> {
  try {
    setSession(await api.session());
    setFailure('');
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return;
    setFailure(error instanceof Error ? error.message : String(error));
    window.setTimeout(() => void loadSession(), 3_000);
  }
}

export async function logIn(name: string, password: string): Promise<void> {
  setSession(await api.login(name, password));
}

export async function logOut(): Promise<void> {
  await api.logout().catch(() => undefined);
  setSession(false);
}
