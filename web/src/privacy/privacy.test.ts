import { describe, expect, test } from 'vitest';
import { consentOf } from './ConsentDialog';
import { minutesLeft, patientOf } from './emergency.state';
import { invitationIn } from './MePage';
import { accessWords } from './words';

describe('emergency access', () => {
  test('the patient of a refused call is found in its address', () => {
    expect(patientOf('/api/v1/patients/p-1')).toBe('p-1');
    expect(patientOf('/api/v1/patients/p-1/trends?from=1')).toBe('p-1');
    expect(patientOf('/api/v1/alerts?patient=p-2')).toBe('p-2');
    expect(patientOf('/api/v1/ward')).toBeNull();
  });
  test('minutes left are rounded up and never negative', () => {
    expect(minutesLeft(60_001, 0)).toBe(2);
    expect(minutesLeft(0, 5)).toBe(0);
  });
});

test('a consent is what the form says', () => {
  const form = new FormData();
  for (const [name, value] of [['permit', 'no'], ['kind', 'role'], ['name', 'pharmacist'], ['category', 'waveforms'], ['category', 'alerts'], ['emergency', 'on']]) form.append(name!, value!);
  expect(consentOf(form)).toEqual({
    permit: false, categories: ['waveforms', 'alerts'], recipients: [{ kind: 'role', name: 'pharmacist' }], purposes: [], until_ms: null, in_emergency: true,
  });
});

test('the code of an invitation is taken from behind the #', () => {
  expect(invitationIn('#invitation=ab12-cd34')).toBe('ab12-cd34');
  expect(invitationIn('#other')).toBeNull();
});

test('an access reads as a sentence', () => {
  const access = { at_ms: 0, last_ms: 0, times: 3, who: 'nora', role: 'nurse', what: 'Looked at trends', outcome: 'seen', purpose: '' };
  expect(accessWords(access)).toBe('Looked at trends, 3 times');
  expect(accessWords({ ...access, times: 1, outcome: 'refused' })).toBe('Looked at trends (refused)');
});
