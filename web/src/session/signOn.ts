// Signing on at the site's identity provider: the browser goes there and comes back to the same page, which hears behind
// `#` how it went. Nothing of that stays in the address.
import { BASE } from '../api/client';
import type { Factor } from './calls';

const WORDS: Record<string, string> = {
  'no-role': 'You are known there, but none of your groups has a role here. Ask whoever administers Vitalwire.',
  disabled: 'Your account here is disabled. Ask whoever administers Vitalwire.',
  'unknown-person': 'You are known there, but no account here is yours. Ask whoever administers Vitalwire to link it.',
  'name-taken': 'An account of your name is here already and is not linked to you. Ask whoever administers Vitalwire.',
  'name-unfit': 'Your name there cannot be an account’s name here. Ask whoever administers Vitalwire.',
  'last-administrator': 'You are the last administrator here, and your groups say otherwise. Nothing was changed.',
  'refused-there': 'You were not signed in there.',
  'slow-down': 'Too many attempts from here failed. Wait a moment and try again.',
  'begin-again': 'That took too long, or began in another window. Try again.',
  unavailable: 'The sign-in service does not answer. Try again, or log in with name and password.',
  unreliable: 'The sign-in service gave an answer that cannot be relied on. Try again; if it goes on, tell whoever administers Vitalwire.',
};

/** Where the browser goes to sign on, to come back to the page that it is on. */
export const signOnAddress = (at: Pick<Location, 'pathname' | 'search'> = location): string =>
  `${BASE}/oidc/start?${new URLSearchParams({ next: at.pathname + at.search })}`;

export interface SignedOn { needs?: Factor[]; problem?: string }

const FACTORS: Factor[] = ['totp', 'passkey', 'recovery', 'enrol-totp'];

/** How a sign-on went, by the part of the address behind `#`; nothing when there was none. */
export function outcomeOf(hash: string): SignedOn {
  const how = /^#sign-on=([a-z:,-]+)$/.exec(hash)?.[1];
  if (!how) return {};
  if (!how.startsWith('more:')) return { problem: WORDS[how] ?? WORDS.unreliable };
  const needs = how.slice(5).split(',').filter((one): one is Factor => FACTORS.includes(one as Factor));
  return needs.length ? { needs } : { problem: WORDS['begin-again'] };
}

/** Takes how a sign-on went out of the address. */
export function takeOutcome(): SignedOn {
  const outcome = outcomeOf(location.hash);
  if (outcome.needs || outcome.problem) history.replaceState(null, '', location.pathname + location.search);
  return outcome;
}
