// Calls of logging in, of the own account and of everybody's.
import { BASE, call } from '../api/client';
import type { Session } from '../api/types';

const path = (rest: string) => BASE + rest;
const id = encodeURIComponent;

/** What may complete a login. */
export type Factor = 'totp' | 'passkey' | 'recovery' | 'enrol-totp';
export interface More { needs: Factor[] }
export interface LoginOptions { passkeys: boolean; provider: string | null }
export interface TotpBegun { secret: string; uri: string; qr: string }
export interface Codes { recovery_codes: string[] }
export interface OwnAccount {
  name: string; role: string; units: string[] | null; provided: boolean; totp: boolean;
  passkeys: { id: string; name: string; added_ms: number; used_ms: number }[];
  recovery_codes_left: number; second_factor_required: boolean; passkeys_here: boolean;
}
export interface OwnSession { id: string; own: boolean; began_ms: number; used_ms: number; address: string | null; agent: string; means: string; encrypted: boolean }
export interface User {
  name: string; role: string; kind: string; units: string[] | null; patient: string | null; disabled: boolean; provided: boolean;
  added_ms: number | null; used_ms: number | null; expires_ms: number | null; totp: boolean; passkeys: number; sessions: number;
}
export interface NewUser { name: string; role: string; password?: string; units: string[]; patient?: string; expires_days?: number }

/** The browser's options and answers for a passkey, in the JSON form of WebAuthn level 3. */
interface PasskeyOptions { publicKey: Record<string, unknown> }

export const calls = {
  options: () => call<LoginOptions>('GET', path('/login/options')),
  login: (name: string, password: string) => call<Session | More>('POST', path('/login'), { name, password }),
  totp: (code: string) => call<Session>('POST', path('/login/totp'), { code }),
  recovery: (code: string) => call<Session>('POST', path('/login/recovery'), { code }),
  beginPasskeyLogin: () => call<PasskeyOptions>('POST', path('/login/passkey/begin'), {}),
  passkeyLogin: (credential: unknown) => call<Session>('POST', path('/login/passkey'), { credential }),
  beginEnrolment: () => call<TotpBegun>('POST', path('/login/enrol/begin'), {}),
  enrol: (code: string) => call<Codes & { session: Session }>('POST', path('/login/enrol'), { code }),
  account: () => call<OwnAccount>('GET', path('/account')),
  changePassword: (present: string, next: string) => call<void>('POST', path('/account/password'), { present, next }),
  sessions: () => call<OwnSession[]>('GET', path('/account/sessions')),
  endSession: (session: string) => call<void>('DELETE', path(`/account/sessions/${id(session)}`)),
  endOthers: () => call<void>('DELETE', path('/account/sessions')),
  beginTotp: () => call<TotpBegun>('POST', path('/account/totp'), {}),
  confirmTotp: (code: string) => call<Codes>('POST', path('/account/totp/confirm'), { code }),
  removeTotp: () => call<void>('DELETE', path('/account/totp')),
  newCodes: () => call<Codes>('POST', path('/account/recovery-codes'), {}),
  beginPasskey: () => call<PasskeyOptions>('POST', path('/account/passkeys/begin'), {}),
  addPasskey: (name: string, credential: unknown) => call<Codes>('POST', path('/account/passkeys'), { name, credential }),
  removePasskey: (passkey: string) => call<void>('DELETE', path(`/account/passkeys/${id(passkey)}`)),
  users: () => call<User[]>('GET', path('/users')),
  addUser: (user: NewUser) => call<{ user: User; token: string | null }>('POST', path('/users'), user),
  changeUser: (name: string, change: { role?: string; units?: string[]; disabled?: boolean }) => call<User>('PUT', path(`/users/${id(name)}`), change),
  removeUser: (name: string) => call<void>('DELETE', path(`/users/${id(name)}`)),
  setPassword: (name: string, password: string) => call<void>('POST', path(`/users/${id(name)}/password`), { password }),
  resetFactors: (name: string) => call<void>('DELETE', path(`/users/${id(name)}/factors`)),
  rotateToken: (name: string) => call<{ token: string }>('POST', path(`/users/${id(name)}/token`), {}),
  endUserSessions: (name: string) => call<void>('DELETE', path(`/users/${id(name)}/sessions`)),
};

interface FromJson {
  parseCreationOptionsFromJSON(options: unknown): PublicKeyCredentialCreationOptions;
  parseRequestOptionsFromJSON(options: unknown): PublicKeyCredentialRequestOptions;
}
const parser = () => window.PublicKeyCredential as unknown as FromJson | undefined;
const toJson = (credential: Credential | null): unknown => {
  if (!credential) throw new Error('No passkey was chosen.');
  return (credential as PublicKeyCredential).toJSON();
};

/** Whether this browser can use passkeys as the server speaks of them. */
export const knowsPasskeys = (): boolean => typeof parser()?.parseRequestOptionsFromJSON === 'function';

/** Asks the browser for a passkey of this site. */
export async function showPasskey(): Promise<Session> {
  const { publicKey } = await calls.beginPasskeyLogin();
  const options = parser()!.parseRequestOptionsFromJSON(publicKey);
  return calls.passkeyLogin(toJson(await navigator.credentials.get({ publicKey: options })));
}

/** Has the browser make a passkey for the own account. */
export async function makePasskey(name: string): Promise<string[]> {
  const { publicKey } = await calls.beginPasskey();
  const options = parser()!.parseCreationOptionsFromJSON(publicKey);
  const made = await navigator.credentials.create({ publicKey: options });
  return (await calls.addPasskey(name, toJson(made))).recovery_codes;
}
