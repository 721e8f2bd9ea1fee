import { expect, test } from 'vitest';
import { layOut } from '../source/source.state';
import { guessMetric } from './guess';
import { draftProfile, freeName, topicPattern } from './profile.state';

test.each([['acme/band-31/spot', 'acme/{device}/spot'], ['acme/band/spot', 'acme/{device}/spot'], ['hospital/ward/bed7/hr', 'hospital/ward/{device}/hr'], ['single', 'single']])('pattern of %s', (topic, pattern) => expect(topicPattern(topic)).toBe(pattern));

test('a draft names each number of the payload', () => {
  const text = draftProfile('acme/b1/spot', '{"hr":71,"list":[{"x y":2}],"name":"n"}');
  expect(text).toContain('topic = "acme/{device}/spot"');
  expect(text).toContain('\n[[measurement]]\nmetric = "MDC_ECG_HEART_RATE"\nvalue = "$.hr"\n');
  expect(text).toContain(`# value = "$.list[0]['x y']"`);
  expect(text).not.toContain('name =');
  expect(draftProfile('x', 'not json')).not.toContain('measurement');
});

test('a draft guesses time and unit', () => {
  const text = draftProfile('acme/b1/spot', '{"measuredAt":"2026-11-22T00:30:00Z","temp":{"value":98.6},"seq":7}');
  expect(text).toContain('[time]\npath = "$.measuredAt"\nformat = "rfc3339"\n');
  expect(text).toContain('metric = "MDC_TEMP_BODY"\nvalue = "$.temp.value"\nunit = "[degF]"\n');
  expect(text).toContain('# value = "$.seq"');
  expect(draftProfile('x/1', '{"t":1700000000,"sat":97}')).toContain('format = "unix_s"');
});

test.each([
  [['pulse'], 70, 'MDC_PULS_OXIM_PULS_RATE', undefined],
  [['spO2'], 97, 'MDC_PULS_OXIM_SAT_O2', undefined],
  [['bloodGlucose', 'value'], 5.5, 'MDC_CONC_GLU_GEN', 'mmol/L'],
  [['temperature_c'], 37, 'MDC_TEMP_BODY', undefined],
  [['batteryLevel'], 80, 'MDC_ATTR_VAL_BATT_CHARGE', undefined],
])('%s is guessed', (keys, value, metric, unit) => expect(guessMetric(keys, value)).toEqual(unit ? { metric, unit } : { metric }));

test.each([[['temperament'], 1], [['value'], 1], [['count'], 3]])('%s is not', (keys, value) => expect(guessMetric(keys, value)).toBeNull());

test('a new profile takes no name that is taken', () => {
  expect(freeName('acme/1/x', [])).toBe('acme.toml');
  expect(freeName('acme/1/x', ['acme.toml', 'acme-2.toml'])).toBe('acme-3.toml');
  expect(freeName('//', [])).toBe('profile.toml');
});

test.each([
  ['JSON is indented', '{"a":1}', 'text', '{\n  "a": 1\n}'],
  ['broken JSON stays as it is', '{"a":', 'text', '{"a":'],
  ['HL7 gets a line per segment', 'MSH|1\rPID|2\r', 'text', 'MSH|1\nPID|2\n'],
  ['bytes stand in pairs', 'a1b2', 'hex', 'a1 b2'],
])('%s', (_n, payload, format, text) => expect(layOut(payload, format)).toBe(text));
