// How edges are told of.

/** States in words. */
export const EDGE_STATE: Record<string, string> = { waits: 'waits to be enrolled', online: 'online', silent: 'silent' };

/** Why something was left out. */
export const GAP_REASON: Record<string, string> = {
  full: 'the spool was full', rule: 'a rule wanted less', journal: 'the edge had it no more',
};

/** `12 pieces, 3 % full`. */
export function filled(edge: { spool_pieces: number; spool_bytes: number; spool_bytes_max: number }): string {
  const part = edge.spool_bytes_max > 0 ? Math.round((100 * edge.spool_bytes) / edge.spool_bytes_max) : 0;
  return `${edge.spool_pieces} pieces, ${part} % full`;
}
