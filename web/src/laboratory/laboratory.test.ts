import { describe, expect, it } from 'vitest';
import { atNight, caution, cautionOf, causeRows, change, differenceWords, plainWords, rateWords } from './comparison.state';
import { drawable, keyOrder, picture, pointWords, tickStep } from './curve.state';
import type { Figures, Interval, Laboratory, Parameter, Point, Result } from './laboratory.api';
import { belongsTo, expressionWords, findNumbers, numberWords, reach, valueWords, wholeWords } from './numbers.state';
import { askedOf, choose, emptyPlan, leftWords, periodOf, policiesOf, problemOf, renew, valuesOf, type Choice, type Plan } from './plan.state';
import { askedWords, shownFirst, unproposed } from './run.state';
import { candidateName, changeWords, shortName } from './versions.state';

const HOUR = 1 / 60;
const exactly = (value: number | null): Interval => ({ value, low: value, high: value });
const saturation: Parameter = { path: 'limit.SpO2.low', value: 88, of: 'Oxygen saturation', what: 'low', unit: '%' };
const delay: Parameter = { path: 'limit.SpO2.for_s', value: 15, of: 'Oxygen saturation', what: 'for_s', unit: 's' };
const news: Parameter = { path: 'rule.news2.high.when', value: 7, of: 'Early-warning score high, high', what: 'NEWS2 >= 7', unit: '' };
const shock: Parameter = { path: 'rule.shock.medium.when.2', value: 100, of: 'Shock, medium', what: 'SI >= 1.0 and (SYS < 100 or ABPs < 100)', unit: '' };
const unset: Parameter = { path: 'limit.SpO2.high', value: null, of: 'Oxygen saturation', what: 'high', unit: '%' };
const step: Parameter = { path: 'chain.ward.2.after_s', value: 120, of: 'Chain ward, step 2 (charge-nurse)', what: 'after_s', unit: 's' };

const figures = (over: Partial<Figures> = {}): Figures => ({
  name: 'present', hash: '', alerts: 62, alerts_per_bed_day: exactly(6.2), preceding: exactly(0.26), sensitivity: exactly(1), technical_per_bed_day: 0.4, causes: [],
  events: [{ event: 'low-oxygen', events: 14, missed: 0, sensitivity: exactly(1), lead_h_p25: 0.1, lead_h_median: 1, lead_h_p75: 2 }],
  answered: { observed: true, taken: 60, untaken: 2, median_s: 40, p90_s: 200 }, calls: [{ role: 'nurse', calls: 70, per_bed_day: 7, at_night: 30 }], ...over,
});
const point = (alerts: number | null, seen: number | null, on_frontier = false): Point => ({ name: `${alerts}`, changes: [], alerts_per_bed_day: exactly(alerts), sensitivity: exactly(seen), preceding: exactly(null), on_frontier });

describe('numbers in words', () => {
  it.each([
    [saturation, 'Oxygen saturation: medium priority below 88 %'], [delay, 'Oxygen saturation: beyond the limit for this long before it alerts 15 s'],
    [news, 'Early-warning score high, high priority: when NEWS2 ≥ 7'], [shock, 'Shock, medium priority: when SI ≥ 1.0 and (SYS < 100 or ABPs < 100)'],
    [step, 'Chain ward, step 2 (charge nurse): called after 120 s'], [unset, 'Oxygen saturation: medium priority above not set'],
  ])('%#', (parameter, text) => expect(wholeWords(parameter)).toBe(text));
  it('leaves the number open that it is about', () => {
    expect(expressionWords('SI >= 1.0 and SYS < 100', 2)).toBe('SI ≥ 1.0 and SYS < …');
    expect(numberWords(news)).toBe('when NEWS2 ≥ …');
  });
  it('is found by any words of it, set or not', () => {
    const all = [saturation, delay, news, unset];
    expect(findNumbers(all, 'oxygen below', false)).toEqual([saturation]);
    expect(findNumbers(all, 'spo2', true)).toEqual([saturation, delay, unset]);
    expect(findNumbers(all, 'nothing', true)).toEqual([]);
  });
  it('slides around what it is, within what can be', () => {
    expect(reach(saturation)).toEqual({ min: 61, max: 100, step: 1 });
    expect(reach(delay)).toEqual({ min: 0, max: 60, step: 1 });
    expect(reach(news)).toEqual({ min: 2, max: 12, step: 1 });
    expect(reach({ ...saturation, value: 39.1, unit: '°C' })).toEqual({ min: 36.1, max: 42.1, step: 0.1 });
    expect(reach(unset)).toBeNull();
    expect([valueWords(null, 's'), valueWords(7, ''), belongsTo(step)]).toEqual(['not set', '7', 'Chain ward, step 2 (charge nurse)']);
  });
});

describe('the plan', () => {
  const now = Date.UTC(2026, 2, 8);
  const about: Pick<Laboratory, 'policies_max' | 'from_ms'> = { policies_max: 36, from_ms: 1 };
  const plan = (choices: Choice[], over: Partial<Plan> = {}): Plan => ({ ...emptyPlan(), choices, ...over });
  const swept = (parameter: Parameter, over: Partial<Choice> = {}): Choice => ({ ...choose(parameter), mode: 'sweep', ...over });
  it('sweeps two steps to either side', () => {
    const { from, to, step: by } = choose(saturation);
    expect([from, to, by, valuesOf(choose(saturation))]).toEqual(['84', '92', '2', 5]);
    expect(valuesOf(swept(saturation, { step: '0' }))).toBe(0);
    expect(policiesOf(plan([swept(saturation), swept(delay)]))).toBe(25);
  });
  it.each([
    [plan([]), 'Choose at least one number to change.'], [plan([choose(saturation)]), 'No number is changed yet.'],
    [plan([{ ...choose(saturation), value: 'x' }]), 'Oxygen saturation: say the new value.'], [plan([swept(saturation, { to: '' })]), 'Oxygen saturation: say from, to, and steps above 0.'],
    [plan([swept(saturation, { step: '0.1' })]), 'That makes 81 policies; 36 can be tried at once. Take larger steps.'],
    [plan([swept(saturation), swept(delay), swept(news)]), 'Two numbers can be swept at once; set the others.'],
    [plan([swept(saturation)], { budget: 'many' }), 'The budget is a number of alerts a bed-day, above 0.'],
    [plan([swept(saturation)], { period: 'dates', from: '2026-03-09', to: '2026-03-01' }), 'The last day is before the first.'],
    [plan([{ ...choose(saturation), value: '90' }]), ''], [plan([choose(saturation), swept(delay)]), ''],
  ])('%#: what is missing is said', (one, problem) => expect(problemOf(one, about, now)).toBe(problem));
  it('follows the policy in force', () => {
    const renewed = renew(plan([{ ...choose(saturation), value: '90' }, choose(delay)]), [{ ...saturation, value: 91 }]);
    expect(renewed.choices.map((c) => [c.parameter.value, c.value])).toEqual([[91, '90']]);
  });
  it('cannot be tried on nothing', () => expect(problemOf(plan([swept(saturation)]), { policies_max: 36, from_ms: null }, now)).toContain('Nothing has been recorded'));
  it('asks what was filled in', () => {
    const defaults = { horizon_h: 12, answered_after_s: 60, night_from: 21, night_to: 6, transfer_to: ['ICU'] };
    const asked = askedOf(plan([{ ...choose(saturation), value: '90,5' }, swept(delay, { from: '0', to: '30', step: '10' })], { budget: '4', title: ' x ', target: 'death' }), defaults, now);
    expect(asked).toEqual({ ...defaults, title: 'x', from_ms: now - 7 * 86_400_000, to_ms: null, set: [{ path: saturation.path, value: 90.5 }], sweep: [{ path: delay.path, from: 0, to: 30, step: 10 }], target: 'death', budget: 4 });
    expect(periodOf(plan([], { period: 'dates', from: '2026-03-01', to: '2026-03-01' }), now)).toEqual({ from: new Date('2026-03-01T00:00:00').getTime(), to: new Date('2026-03-01T00:00:00').getTime() + 86_400_000 });
    expect(periodOf(plan([], { period: 'all' }), now)).toEqual({ from: null, to: null });
  });
  it.each([[null, ''], [4, 'a few seconds left'], [42, 'about 40 s left'], [200, 'about 3 min left']])('%s s left', (left, text) => expect(leftWords(left)).toBe(text));
});

describe('the comparison', () => {
  const fewer = figures({ name: 'x', alerts: 41, alerts_per_bed_day: exactly(4.1), preceding: exactly(0.38), events: [{ ...figures().events[0]!, lead_h_median: 1 - 3 * HOUR }], calls: [{ role: 'nurse', calls: 50, per_bed_day: 5, at_night: 19 }] });
  const difference = { name: 'x', alerts_per_bed_day: { value: -2.1, low: -3, high: -1 }, preceding: exactly(0.12), sensitivity: exactly(0) };
  it('says first what a nurse asks', () => {
    expect(plainWords(figures(), fewer, difference).map((l) => [l.tone, l.text])).toEqual([
      ['better', '6.2 → 4.1 alerts a bed-day'], ['same', 'None of 14 events missed'], ['worse', 'First alert 3 min later'], ['better', '11 fewer calls at night'], ['better', '38 % of alerts preceded a real event'],
    ]);
  });
  it('says when a difference may be chance', () => {
    expect(plainWords(figures(), fewer, { ...difference, alerts_per_bed_day: { value: -2, low: -5, high: 1 } })[0]!.note).toContain('may be chance');
    expect(plainWords(figures(), fewer, difference)[0]!.note).toBe('34 % fewer: 41 instead of 62 in this time.');
  });
  it('never calls a missed event an improvement', () => {
    const blind = figures({ events: [{ ...figures().events[0]!, missed: 2 }] });
    expect(plainWords(figures(), blind, undefined)[1]).toEqual({ tone: 'worse', text: '2 of 14 events missed', note: '2 more than today.' });
    expect(plainWords(blind, figures(), undefined)[1]!.tone).toBe('better');
    const one = figures({ events: [{ ...figures().events[0]!, events: 1, missed: 1 }] });
    expect(plainWords(one, one, undefined)[1]).toEqual({ tone: 'same', text: 'The only event is missed', note: 'As many as today.' });
  });
  it('says that without events nothing is known', () => {
    const quiet = figures({ events: [], preceding: exactly(null), calls: [{ role: 'nurse', calls: 3, per_bed_day: 1, at_night: null }] });
    expect(plainWords(quiet, quiet, undefined).map((l) => l.tone)).toEqual(['same', 'unknown', 'unknown']);
    expect(atNight(quiet)).toBeNull();
    expect(plainWords(figures({ alerts_per_bed_day: exactly(null) }), fewer, undefined)[0]!.text).toBe('Nobody was monitored in this time.');
  });
  it('warns of little', () => {
    expect([caution(30, 12), caution(0.5, 2), caution(0.01, 1)]).toEqual(['', 'Only 12.0 h of monitoring of 2 patients: too little to decide by.', 'Only 14 min of monitoring of one patient: too little to decide by.']);
  });
  it('warns the second person of little as well', () => {
    expect([cautionOf(figures()), cautionOf(figures({ alerts: 12, alerts_per_bed_day: exactly(1200) })), cautionOf(figures({ alerts: 0, alerts_per_bed_day: exactly(0) }))]).toEqual(['', 'Only 14 min of monitoring: too little to decide by.', '']);
  });
  it('lays causes side by side, urgent first', () => {
    const a = figures({ causes: [{ priority: 'medium', cause: 'limit.A', alerts: 9, per_bed_day: 0.9 }, { priority: 'high', cause: 'rule.b', alerts: 1, per_bed_day: 0.1 }] });
    const b = figures({ causes: [{ priority: 'medium', cause: 'limit.A', alerts: 4, per_bed_day: 0.4 }, { priority: 'medium', cause: 'rule.c', alerts: 2, per_bed_day: 0.2 }] });
    expect(causeRows(a, b).map((r) => [r.cause, r.now, r.then, r.thenRate])).toEqual([['rule.b', 1, 0, 0], ['limit.A', 9, 4, 0.4], ['rule.c', 0, 2, 0.2]]);
    expect([change(3, 3), change(9, 4), change(0, 2)]).toEqual(['0', '−5', '+2']);
    expect([rateWords({ value: 6.2, low: 5, high: 7.44 }), differenceWords({ value: -2.1, low: -3, high: 0.5 }), rateWords({ value: null })]).toEqual(['6.2 (5.0 to 7.4)', '−2.10 (−3.00 to +0.50)', '–']);
    expect([rateWords({ value: 1225.2 }), rateWords({ value: 0 }), rateWords({ value: 0.41 })]).toEqual(['1225', '0', '0.41']);
  });
});

describe('the curve', () => {
  const points = [point(6, 1, false), point(2, 0.5, true), point(4, 1, true), point(5, 0.8), point(null, null)];
  const drawn = picture(points, 600, 340, 4.5, 2);
  it('draws what has figures, further right for more alerts, higher for more events seen', () => {
    expect(drawn.spots.map((s) => [s.at, s.kind])).toEqual([[0, 'present'], [1, 'frontier'], [2, 'proposed'], [3, 'beaten']]);
    const [present, few, best] = drawn.spots;
    expect(few!.x).toBeLessThan(best!.x);
    expect(best!.y).toBeLessThan(few!.y);
    expect(present!.y).toBe(best!.y);
    expect(drawn.budget).toBeGreaterThan(best!.x);
    expect(drawn.frontier).toMatch(/^M[\d. ]+L[\d. ]+$/);
    expect([drawable(points), drawable([point(2, null)])]).toEqual([true, false]);
  });
  it('keeps everything inside', () => {
    for (const s of drawn.spots) expect(s.x >= drawn.left && s.x <= drawn.right && s.y >= drawn.top && s.y <= drawn.bottom).toBe(true);
    for (const [x] of drawn.xTicks) expect(x).toBeLessThanOrEqual(drawn.right);
    expect(drawn.yTicks.at(-1)![1]).toBe('100 %');
  });
  it('leaves a far budget out, and says when points lie on each other', () => {
    expect([picture(points, 600, 340, 99, 2).budget, picture(points, 600, 340, null, 2).budget, drawn.covered]).toEqual([null, null, false]);
    expect(picture([point(4, 1), point(4, 1)], 600, 340, null, null).covered).toBe(true);
  });
  it('goes by keys from few alerts to many, and says each point', () => {
    expect(keyOrder(drawn.spots)).toEqual([1, 2, 3, 0]);
    expect(pointWords(points[2]!, 'proposed', '90 %')).toBe('90 %: 4.0 alerts a bed-day, 100 % of events seen; proposed within the budget');
  });
  it.each([[10, 5, 2], [1, 5, 0.2], [0.7, 5, 0.2], [43, 8, 10]])('%s in about %s steps: %s', (span, wanted, by) => expect(tickStep(span, wanted)).toBeCloseTo(by));
});

describe('runs and versions', () => {
  const changed = { parameter: saturation, from: 88, to: 90 };
  const candidate = (over = {}) => ({ name: 'n', hash: '', changed: [changed], more: false, ...over });
  it('names policies by what they change', () => {
    expect(changeWords(changed)).toBe('Oxygen saturation: medium priority below 88 → 90 %');
    expect(changeWords({ parameter: news, from: 7, to: 8 })).toBe('Early-warning score high, high priority: when NEWS2 ≥ 7 → 8');
    expect(changeWords({ parameter: unset, from: null, to: 99 })).toBe('Oxygen saturation: medium priority above not set → 99 %');
    expect([candidateName(candidate(), 0), candidateName(candidate({ changed: [] }), 1), candidateName(candidate({ changed: [], more: true }), 1)]).toEqual(['Present policy', 'Same numbers as today', 'n']);
    expect([shortName(candidate(), 1, [saturation.path]), shortName(candidate(), 1, ['other']), shortName(candidate(), 0, [])]).toEqual(['90 %', 'as today', 'Present']);
  });
  it('calls a run by what was asked', () => {
    const asked = { set: [{ path: saturation.path, value: 86 }], sweep: [{ path: news.path, from: 5, to: 9, step: 1 }] };
    expect(askedWords(asked, [saturation, news])).toBe('Oxygen saturation: medium priority below 86 %, Early-warning score high, high priority: when NEWS2 ≥ 5 to 9');
    expect(askedWords(asked)).toBe('limit.SpO2.low 86, rule.news2.high.when 5 to 9');
  });
  it('shows the proposed policy first, and says why there is none', () => {
    const result = (over: Partial<Result>): Result => ({ report: {} as Result['report'], candidates: [candidate(), candidate(), candidate()], points: [point(6, 1), point(5, 0.9), point(4, 1, true)], proposed: null, notes: [], titles: {}, ...over });
    expect([shownFirst(result({ proposed: 1 })), shownFirst(result({})), shownFirst(result({ points: [point(6, null), point(5, null)] }))]).toEqual([1, 2, 1]);
    expect(unproposed(result({}), 3)).toContain('stays within 3');
    expect(unproposed(result({ points: [point(6, null)] }), 3)).toContain('no real event');
    expect([unproposed(result({}), null), unproposed(result({ proposed: 1 }), 9)]).toEqual(['', '']);
  });
});
