import { expect, test } from 'vitest';
import { filled } from './edges.state';

test.each([
  [{ spool_pieces: 0, spool_bytes: 0, spool_bytes_max: 0 }, '0 pieces, 0 % full'],
  [{ spool_pieces: 12, spool_bytes: 30, spool_bytes_max: 1_000 }, '12 pieces, 3 % full'],
])('a spool is told in pieces and parts', (edge, text) => {
  expect(filled(edge)).toBe(text);
});
