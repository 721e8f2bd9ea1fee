import { expect, test } from 'vitest';
import { outcomeOf, signOnAddress } from './signOn';

test('the page that one was on is asked for again, whole', () => {
  const at = { pathname: '/authorize', search: '?client_id=a&redirect_uri=https%3A%2F%2Fapp.example%2Fcb' };
  const address = new URL(signOnAddress(at), 'http://here');
  expect(address.pathname).toBe('/api/v1/oidc/start');
  expect(address.searchParams.get('next')).toBe(at.pathname + at.search);
});

test('how it went is told in words, and what is unknown is not shown as it came', () => {
  expect(outcomeOf('')).toEqual({});
  expect(outcomeOf('#other')).toEqual({});
  expect(outcomeOf('#sign-on=more:totp,recovery')).toEqual({ needs: ['totp', 'recovery'] });
  expect(outcomeOf('#sign-on=more:else').problem).toMatch(/Try again/);
  expect(outcomeOf('#sign-on=no-role').problem).toMatch(/none of your groups/);
  expect(outcomeOf('#sign-on=whatever').problem).toMatch(/cannot be relied on/);
  expect(outcomeOf('#sign-on=<b>x</b>')).toEqual({});
});
