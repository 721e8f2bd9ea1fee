import { expect, test } from 'vitest';
import type { CampaignView } from './fleet.api';
import { actions, progress, rings, steps } from './fleet.state';

const campaign = (state: string, counts: Record<string, number>): CampaignView => ({
  number: 1, name: 'spring', manufacturer: 'Acme', model: 'P2', version: '2.4.1', state, why: '', ring: 1, rings: 3,
  steps: counts, devices: Object.values(counts).reduce((a, b) => a + b, 0),
});

test('each state allows its actions', () => {
  for (const [state, allowed] of [
    ['draft', ['resume']], ['running', ['pause', 'rollback']], ['paused', ['resume', 'rollback']], ['halted', ['resume', 'rollback']],
    ['rolling-back', []], ['finished', ['rollback']],
  ] as const) expect(actions(campaign(state, { confirmed: 1 }))).toEqual(allowed);
  expect(actions(campaign('finished', { 'rolled-back': 1 }))).toEqual([]);
});

test('progress is what is done', () => {
  expect(progress(campaign('running', { confirmed: 1, eligible: 2 }))).toBe(33);
  expect(progress(campaign('draft', {}))).toBe(0);
  expect(steps(campaign('running', { confirmed: 1, eligible: 2 }))).toBe('1 confirmed, 2 waiting');
});

test('rings are whole percentages', () => {
  expect(rings('5, 25,100')).toEqual([5, 25, 100]);
  for (const text of ['', '0', '101', '5;25', 'a']) expect(rings(text)).toBeUndefined();
});
