import { describe, expect, it } from 'vitest';
import { bandWord, rightOf, shownScore, standing } from './scores.state';

describe('scores side by side', () => {
  it('orders by concern', () => {
    expect(['high', 'none', 'low-medium', 'strange'].map(standing)).toEqual([4, 0, 2, 0]);
    expect(bandWord('low-medium')).toBe('low to medium');
  });
  it('shows a lower bound as one', () => {
    expect(shownScore({ value: 5, complete: false })).toBe('≥ 5');
    expect(shownScore({ value: 0.875, complete: true })).toBe('0.88');
    expect(shownScore({ value: null, complete: false })).toBe('–');
  });
  it('finds what the house knows of a score', () => {
    const one = { score: 'SI', from: 1, asks: '', right: { followed: { of: 0, all: 0 }, foreseen: { of: 0, all: 0 }, waiting: 0 } };
    expect(rightOf([one], { name: 'Shock index' })).toEqual([one]);
    expect(rightOf([one], { name: 'NEWS2' })).toEqual([]);
  });
});
