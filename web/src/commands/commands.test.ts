import { expect, test } from 'vitest';
import { nextOf, parametersOf, stateOf, STATE, titleOf, type CommandView, type OfferView } from './commands.state';

const offer: OfferView = {
  name: 'set', title: 'Set the limit', class: 'settings', allowed: true, two_person: true, identifiers: true, expires_s: 60, read_back: 'answer',
  parameters: [
    { name: 'rate', title: 'Rate', kind: 'number', unit: '/min', low: 20, high: 250, choices: [] },
    { name: 'limit', title: 'Limit', kind: 'choice', unit: '', choices: ['low', 'high'] },
    { name: 'keep', title: 'Keep', kind: 'flag', unit: '', choices: [] },
  ],
};

test('each state has a sign and a word of its own', () => {
  const words = Object.values(STATE).map((s) => s.word);
  expect(new Set(words).size).toBe(words.length);
  expect(stateOf('unheard-of').word).toBe('unheard-of');
});

test('a form becomes parameters, or says what is wrong', () => {
  expect(parametersOf(offer, { rate: '40,5', limit: 'low', keep: 'true' })).toEqual({ rate: 40.5, limit: 'low', keep: true });
  expect(parametersOf(offer, { rate: '19', limit: 'low' })).toBe('Rate: 20 to 250 /min');
  expect(parametersOf(offer, { rate: 'x', limit: 'low' })).toBe('Rate: 20 to 250 /min');
  expect(parametersOf(offer, { rate: '40' })).toBe('Limit: missing');
});

test('a title says what with', () => {
  const command = { command: 'set', parameters: [{ name: 'rate', value: '40', unit: '/min' }] } as CommandView;
  expect(titleOf(command, [offer])).toBe('Set the limit: Rate 40 /min');
  expect(titleOf(command, [])).toBe('set: rate 40 /min');
  const pressure = { command: 'p', parameters: [{ name: 'pressure', value: '300', unit: 'mm[Hg]' }] } as CommandView;
  expect(titleOf(pressure, [])).toBe('p: pressure 300 mmHg');
});

test('each state says what comes next, and only the one that is done says nothing', () => {
  const next = (state: string, may_confirm = false) => nextOf({ state, may_confirm, expires_ms: 65_000 } as CommandView, 0);
  expect(next('awaiting')).toContain('Somebody else');
  expect(next('awaiting', true)).toBe('You can agree, for 1:05 more. Then it expires.');
  expect(next('unknown')).toContain('Go to the device');
  expect(Object.keys(STATE).filter((state) => !next(state))).toEqual(['done', 'cancelled']);
});
