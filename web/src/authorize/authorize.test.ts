import { describe, expect, it } from 'vitest';
import { given, groups } from './authorize.state';

const asked = [
  { scope: 'openid', words: 'Know who you are', optional: false },
  { scope: 'fhirUser', words: 'Know who you are', optional: false },
  { scope: 'patient/Observation.rs', words: 'See measurements', optional: true },
  { scope: 'offline_access', words: 'Go on', optional: true },
];

describe('what an application asks for', () => {
  it('says each thing once', () => {
    expect(groups(asked).map((g) => [g.words, g.scopes.length])).toEqual([['Know who you are', 2], ['See measurements', 1], ['Go on', 1]]);
  });
  it('gives what was not left out', () => {
    expect(given(groups(asked), new Set(['Go on']))).toEqual(['openid', 'fhirUser', 'patient/Observation.rs']);
    expect(given(groups(asked), new Set())).toHaveLength(4);
  });
});
