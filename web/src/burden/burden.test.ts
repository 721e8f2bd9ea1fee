import { describe, expect, it } from 'vitest';
import { changeText, most, shade, shareText, took } from './burden.state';

describe('words of figures', () => {
  it('says shares with their interval, or that there are too few', () => {
    expect(shareText({ of: 12, all: 40, share: 0.3, low: 0.18, high: 0.45 })).toBe('12 of 40: 30% (18% to 45%)');
    expect(shareText({ of: 1, all: 2, share: null, low: null, high: null })).toBe('1 of 2, too few to tell');
    expect(shareText({ of: 0, all: 0, share: null, low: null, high: null })).toBe('none so far');
  });
  it.each([[12, 10, '▲ 20%'], [9, 10, '▼ 10%'], [10, 10, 'as before'], [3, 0, ''], [null, 3, '']])('%s after %s is %s', (now, before, text) => {
    expect(changeText(now, before)).toBe(text);
  });
  it('shades by the most of all', () => {
    expect([0, 1, 5, 10].map((n) => shade(n, 10))).toEqual([0, 1, 3, 5]);
    expect(most([[0, 3], [2, 1]])).toBe(3);
  });
  it.each([[40, '40 s'], [180, '3 min'], [9_000, '2.5 h'], [null, '–']])('%s s is %s', (seconds, text) => {
    expect(took(seconds)).toBe(text);
  });
});
