import { expect, test } from 'vitest';
import { figure, grouped } from './models.state';

const one = (on: string, group: string | null, name: string) => ({ on, group, name, value: 0.5, low: null, high: null, patients: 10 });

test('figures of all patients stand before those of groups', () => {
  const figures = [one('set A', 'women', 'AUROC'), one('set A', null, 'AUROC'), one('set B', null, 'AUROC'), one('set A', 'women', 'AUPRC')];
  expect(grouped(figures).map((m) => [m.on, m.all.length, m.groups.map(([name, of]) => [name, of.length])])).toEqual([['set A', 1, [['women', 2]]], ['set B', 1, []]]);
});

test('a figure has as many digits as it can mean', () => {
  expect([figure({ value: 0.8503, low: 0.844, high: 0.856 }), figure({ value: 14, low: null, high: null }), figure({ value: 812.4, low: null, high: null })]).toEqual(['0.850 (0.844 to 0.856)', '14.0', '812']);
});
