import { expect, test } from 'vitest';
import type { Change, Compared, ModelWatch } from './models.api';
import { changes, configuration, inputsText, outcomesText, ranged, topOf } from './watch.state';

const watch = (over: Partial<ModelWatch>): ModelWatch => ({
  model: 'sepsis', version: '1.0.0+ab', role: 'champion', owner: 'Ada', events: ['death'], events_words: ['death in the record'], since_ms: null,
  judgements: 1_200, patients: 300, judgements_least: 1_000, patients_least: 200, abstained: 0.1, shifted: [], inputs: 9, matters: [], notice: null, looks: [],
  outcomes: { risks: 120, observed: 3, expected: 12.44, ratio: 0.241, deviation: -2.7, more: 0, fewer: 5 }, ...over,
});
const compared = (over: Partial<Compared>): Compared => ({
  model: 'sepsis', version: '1.0.0+ab', title: 'Sepsis', role: 'champion', judged: 1, abstained: 0, mean_risk: 0.1, threshold: 0.5, alerts: 0, alerts_per_bed_day: 0,
  expected: null, ratio: null, auroc: null, curve: [], ...over,
});

test('what is known of inputs and outcomes is told in words', () => {
  expect(inputsText(watch({}))).toBe('All 9 are as in training.');
  expect(inputsText(watch({ patients: 12 }))).toBe('Too few to tell: 1,200 judgements of 12 patients, of at least 1,000 of 200.');
  expect(inputsText(watch({ shifted: [{ name: 'HR.last', index: 0.6, missing: 0, missing_in_training: 0.1 }] }))).toBe('1 of 9 are not as in training.');
  expect(outcomesText(watch({}))).toBe('Of 120 risks, 3 came true where 12.4 were to be expected, 0.24 times.');
  expect(outcomesText(watch({ events: [] }))).toContain('Not compared');
  expect(outcomesText(watch({ outcomes: { ...watch({}).outcomes, risks: 0 } }))).toBe('None is over yet.');
});

test('a figure has its interval, or the words that there are too few', () => {
  expect([ranged({ value: 0.8123, low: 0.7, high: 0.9 }), ranged({ value: 1, low: null, high: null }), ranged(null)]).toEqual(['0.81 (0.70 to 0.90)', '1.00', 'too few events to tell']);
});

test('what another model would change is told in sentences', () => {
  const share = (of: number, all: number) => ({ of, all, share: null, low: null, high: null });
  const change: Change = { model: 'sepsis-ahead', version: '1.0.0+cd', agree: share(9, 10), both: 4, no_longer: 3, newly: 7, no_longer_right: share(0, 0), newly_right: share(2, 5), alerts_per_bed_day: 0.25 };
  const told = changes(change);
  expect(told[0]).toBe('0.25 alerts a bed-day more');
  expect(told[1]).toBe('No longer raised: 3 moments');
  expect(told[2]).toBe('Newly raised: 7 moments; the event came after 2 of 5 of them whose outcome is known');
  expect(told[3]).toContain('90 %');
  expect(changes({ ...change, alerts_per_bed_day: -0.001 })[0]).toBe('As many alerts a bed-day');
  expect(changes({ ...change, alerts_per_bed_day: null })[0]).toContain('not known');
});

test('the configuration names both and their roles', () => {
  const text = configuration(compared({}), compared({ model: 'sepsis-ahead', version: '2.0.0+ef' }));
  expect(text.indexOf('sepsis-ahead')).toBeLessThan(text.indexOf('role = "champion"'));
  expect(text).toContain('role = "shadow"');
  expect(text).toContain('version 2.0.0');
});

test('a plot is as high as its points', () => {
  const point = (risk: number, events: number) => ({ risk, moments: 20, events, low: null, high: null });
  expect([topOf([]), topOf([compared({ curve: [point(0.04, 3)] })]), topOf([compared({ curve: [point(0.9, 2)] })])]).toEqual([0.05, 0.2, 1]);
});
