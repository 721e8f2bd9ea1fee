import { expect, test } from 'vitest';
import { sampleValue } from '../testing/samples';
import { limitsText } from './limits.state';
import { cards, shownValue } from './values.state';

const value = (metric: string, v: number | null, over = {}) => sampleValue({ metric, label: metric, value: v, ...over });

test('vital signs in the order of the bedside, pressures as one, batteries not at all', () => {
  const got = cards([
    value('MDC_GLU', 5.4, { decimals: 1 }), value('MDC_ATTR_VAL_BATT_CHARGE', 80), value('MDC_PRESS_BLD_NONINV_MEAN', 75), value('MDC_PRESS_BLD_NONINV_DIA', 63),
    value('MDC_PRESS_BLD_NONINV_SYS', 101, { limits: { low: 90, high: 200, source: 'policy' } }), value('MDC_RESP_RATE', 18), value('MDC_ECG_HEART_RATE', 80),
  ]);
  expect(got.map((c) => [c.label, c.shown, c.more, c.limits])).toEqual([
    ['MDC_ECG_HEART_RATE', '80', '', ''], ['MDC_RESP_RATE', '18', '', ''], ['BP', '101/63', '(75)', 'SYS 90–200'], ['MDC_GLU', '5.4', '', ''],
  ]);
});

test('a mean without a systolic stands alone', () => {
  expect(cards([value('MDC_PRESS_BLD_NONINV_MEAN', 75)]).map((c) => c.shown)).toEqual(['75']);
});

test.each([
  ['a state in words', { value: 1, text: 'New confusion', unit: '' }, 'New confusion'], ['a number with a comment', { value: 80, text: 'x' }, '80'],
  ['an empty text is none', { value: 2, text: '', unit: '' }, '2'], ['nothing', { value: null, text: null }, '–'],
])('%s', (_n, over, shown) => expect(shownValue(sampleValue(over))).toBe(shown));

test.each([[{ low: 40, high: 130 }, '40–130'], [{ low: 88, high: null }, '≥ 88'], [{ low: null, high: 39 }, '≤ 39'], [null, '']])('limits %o', (limits, text) => {
  expect(limitsText(limits && { ...limits, source: 'policy' })).toBe(text);
});
