// Applications that may ask for access: listed, registered, removed.
import { call, url } from '../api/client';
import type { Application, RegisteredApplication } from '../api/types';

export type { Application };

export const list = () => call<Application[]>('GET', url('/clients'));
export const register = (application: Application) => call<RegisteredApplication>('POST', url('/clients'), application);
export const remove = (id: string) => call<void>('DELETE', url(`/clients/${encodeURIComponent(id)}`));

const lines = (text: string) => text.split(/\s+/).filter(Boolean);

/** The application that a filled-in form says. */
export function read(form: FormData): Application {
  const text = (name: string) => String(form.get(name) ?? '').trim();
  const some = (name: string) => text(name) || null;
  const jwks = text('jwks');
  return {
    id: text('id'), name: text('name') || text('id'), authentication: text('authentication') || 'public',
    redirect_uris: lines(text('redirect_uris')), launch_url: some('launch_url'), scopes: lines(text('scopes')).join(' '),
    jwks: jwks ? (JSON.parse(jwks) as Application['jwks']) : null, jwks_uri: some('jwks_uri'),
    trusted: form.get('trusted') !== null, account: some('account'), origins: [],
  };
}
