// Alarm limits in words.
import type { Limits } from '../api/types';

/** `40–130`, `≥ 88`, `≤ 39`; empty without limits. */
export function limitsText(limits: Limits | null | undefined): string {
  const { low, high } = limits ?? {};
  return low != null && high != null ? `${low}–${high}` : low != null ? `≥ ${low}` : high != null ? `≤ ${high}` : '';
}
