// What an application asks for, and the person's answer. The browser goes on by script: a form that ends at another
// site is not let out by this program's content policy.
import { call, url } from '../api/client';
import type { AskedAccess, Onward } from '../api/types';

export type { AskedAccess };

/** The question, from the query that the application's request came with. */
export const ask = (query: string) => call<AskedAccess>('GET', `${url('/authorization')}?${query}`);

export interface Answer { ticket: string; allow: boolean; scopes?: string[]; patient?: string }

export const answer = (decision: Answer) => call<Onward>('POST', url('/authorization'), decision);

/** Goes on to the application, without this page in the history. */
export const goOn = (redirect: string) => location.replace(redirect);

export interface Group { words: string; scopes: string[]; optional: boolean }

/** What is asked, each thing once: several scopes can mean the same to a person. */
export function groups(scopes: AskedAccess['scopes']): Group[] {
  const found: Group[] = [];
  for (const { scope, words, optional } of scopes) {
    const known = found.find((g) => g.words === words);
    if (known) known.scopes.push(scope);
    else found.push({ words, scopes: [scope], optional });
  }
  return found;
}

/** The scopes of everything that was not left out. */
export const given = (all: Group[], left: ReadonlySet<string>) => all.filter((g) => !left.has(g.words)).flatMap((g) => g.scopes);
