import { describe, expect, it } from 'vitest';
import { arrange, daysUntil, ends, eventWord, expiring, type TrustedDevice } from './trust.state';

const NOW = 1_790_000_000_000;
const DAY = 86_400_000;
const device = (id: string, state: string, untilDays?: number): TrustedDevice => ({
  id, state, since_ms: NOW, who: 'eve', why: '', steps: [], zone: '', kind: '', metrics: [], credential: 'certificate', weak: false, code_until_ms: null, heard: null,
  certificate: untilDays === undefined ? null : { device: id, serial: '1', fingerprint: '2', ours: true, from_ms: NOW, until_ms: NOW + untilDays * DAY, how: '', revoked_ms: null, reason: '', revoked_by: '' },
});

describe('trust', () => {
  it('puts what waits for a person first', () => {
    const ids = arrange([device('pump-10', 'active'), device('pump-9', 'active'), device('x', 'announced'), device('r', 'retired')], '', '').map((d) => d.id);
    expect(ids).toEqual(['x', 'pump-9', 'pump-10', 'r']);
    expect(arrange([device('pump-10', 'active'), device('x', 'announced')], 'PUMP', '').length).toBe(1);
    expect(arrange([device('pump-10', 'active'), device('x', 'announced')], '', 'announced').map((d) => d.id)).toEqual(['x']);
  });
  it('says how long a certificate holds', () => {
    expect([ends(NOW - 1, NOW), ends(NOW + DAY / 2, NOW), ends(NOW + DAY, NOW), ends(NOW + 40.5 * DAY, NOW)]).toEqual(['over', 'ends today', 'ends tomorrow', '40 days left']);
    expect(daysUntil(NOW + 2 * DAY, NOW)).toBe(2);
  });
  it('finds certificates in service that end soon', () => {
    const found = expiring([device('a', 'active', 40), device('b', 'active', 20), device('c', 'active', -1), device('d', 'suspended', 1)], NOW);
    expect(found.map((d) => d.id)).toEqual(['c', 'b']);
  });
  it('has a word for events of other parts', () => {
    expect(eventWord('wrong-zone')).toBe('Heard in the wrong zone');
    expect(eventWord('strange-clock')).toBe('Strange clock');
  });
});
