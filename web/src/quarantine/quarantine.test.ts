import { expect, test } from 'vitest';
import { layOut } from '../source/source.state';
import { draftProfile, freeName, topicPattern } from './profile.state';

test.each([['acme/band-31/spot', 'acme/{device}/spot'], ['acme/band/spot', 'acme/{device}/spot'], ['hospital/ward/bed7/hr', 'hospital/ward/{device}/hr'], ['single', 'single']])('pattern of %s', (topic, pattern) => expect(topicPattern(topic)).toBe(pattern));

test('a draft names each number of the payload', () => {
  const text = draftProfile('acme/b1/spot', '{"hr":71,"list":[{"x y":2}],"name":"n"}');
  expect(text).toContain('topic = "acme/{device}/spot"');
  expect(text).toContain('# value = "$.hr"');
  expect(text).toContain(`# value = "$.list[0]['x y']"`);
  expect(text).not.toContain('name =');
  expect(draftProfile('x', 'not json')).not.toContain('measurement');
});

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
