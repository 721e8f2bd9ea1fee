import { expect, test } from 'vitest';
import type { CampaignView, Vulnerability } from './fleet.api';
import { actions, bar, byVulnerability, rings, steps } from './fleet.state';

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

test('the bar begins with what is done', () => {
  expect(bar(campaign('running', { eligible: 2, confirmed: 1, failed: 0 }))).toEqual([['confirmed', 1], ['eligible', 2]]);
  expect(bar(campaign('draft', {}))).toEqual([]);
  expect(steps(campaign('running', { confirmed: 1, eligible: 2 }))).toBe('1 confirmed, 2 waiting');
});

test('rings are whole percentages', () => {
  expect(rings('5, 25,100')).toEqual([5, 25, 100]);
  for (const text of ['', '0', '101', '5;25', 'a']) expect(rings(text)).toBeUndefined();
});

test('vulnerabilities with their devices, open ones first', () => {
  const line = (id: string, device: string, more: Partial<Vulnerability> = {}): Vulnerability => ({ id, device, title: '', severity: 'high', advisory: '', certain: true, remediation: '', status: 'affected', version: '', via: 'model', ...more });
  const taken = { by: 'enzo', reason: 'no network', at_ms: 0 };
  const all = byVulnerability([line('A', 'p1', { acknowledged: taken }), line('B', 'p1'), line('B', 'p2', { status: 'fixed' }), line('A', 'p2', { acknowledged: taken })]);
  expect(all.map((k) => [k.id, k.open, k.lines.map((l) => l.device)])).toEqual([['B', 1, ['p1', 'p2']], ['A', 0, ['p1', 'p2']]]);
});
