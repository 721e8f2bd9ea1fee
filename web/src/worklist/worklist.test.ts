import { describe, expect, it } from 'vitest';
import type { WorklistLine } from './worklist.api';
import { arrange, before, dueText, seenText, topChange } from './worklist.state';

const line = (id: string, points: number, since_ms: number) => ({ patient: { id }, points, since_ms, reasons: [] }) as unknown as WorklistLine;

describe('the order', () => {
  it('is by points, then by who has had them for longer, then by id', () => {
    const all = [line('c', 2, 5), line('b', 2, 5), line('a', 2, 9), line('d', 7, 99)];
    expect(all.sort(before).map((l) => l.patient.id)).toEqual(['d', 'b', 'c', 'a']);
  });
  it('does not move under a pointer; who is new comes last, who is gone goes', () => {
    expect(arrange(['a', 'b', 'c'], ['c', 'd', 'a'], true)).toEqual(['a', 'c', 'd']);
    expect(arrange(['a', 'b', 'c'], ['c', 'd', 'a'], false)).toEqual(['c', 'd', 'a']);
  });
  it('says who is first now, once', () => {
    expect(topChange(['a', 'b'], ['b', 'a'], (id) => `Bed ${id}`)).toBe('First to look at now: Bed b');
    expect(topChange(['a', 'b'], ['a', 'b'], (id) => id)).toBe('');
    expect(topChange(['a'], [], (id) => id)).toBe('');
  });
});

describe('who looked', () => {
  const told = (by: string | null, agoMs: number) => seenText({ seen: by ? { by, how: 'bedside', at_ms: 0 } : null, unseen_since_ms: 0 } as unknown as WorklistLine, agoMs);
  it('is told without seconds', () => {
    expect([told('Ada', 5_000), told('Ada', 300_000), told(null, 5_000), told(null, 7_200_000)]).toEqual(['seen just now by Ada', 'seen 5 min ago by Ada', 'not seen yet', 'not seen for 2 h']);
  });
});

describe('time limits', () => {
  it('are told in minutes and hours', () => {
    expect(dueText(null, 0)).toBe('');
    expect(dueText(12 * 60_000, 0)).toBe('due in 12 min');
    expect(dueText(0, 3 * 60_000)).toBe('overdue for 3 min');
    expect(dueText(0, 3 * 3_600_000)).toBe('overdue for 3 h');
  });
});
