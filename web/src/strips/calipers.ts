// Two cursors on a strip: what lies between them. Pure; times in milliseconds since 1970.
export interface Calipers { a: number; b: number }

export interface Measure {
  ms: number;
  /** As if the distance were from beat to beat; null when the cursors are together. */
  ratePerMin: number | null;
  /** Difference of the channel’s value, b minus a; null where either was not measured. */
  amplitude: number | null;
}

/** `value` gives the channel at a time, NaN where there is nothing. */
export function measure(c: Calipers, value: (ms: number) => number): Measure {
  const ms = Math.abs(c.b - c.a), difference = value(c.b) - value(c.a);
  return { ms, ratePerMin: ms >= 1 ? 60_000 / ms : null, amplitude: Number.isFinite(difference) ? difference : null };
}

/** `812 ms · 74 /min · +1.12 mV` */
export function measureWords(m: Measure, unit: string): string {
  const parts = [`${Math.round(m.ms)} ms`];
  if (m.ratePerMin !== null) parts.push(`${m.ratePerMin < 10 ? m.ratePerMin.toFixed(1) : Math.round(m.ratePerMin)} /min`);
  if (m.amplitude !== null) parts.push(`${m.amplitude < 0 ? '−' : '+'}${Math.abs(m.amplitude).toFixed(Math.abs(m.amplitude) < 10 ? 2 : 0)}${unit ? ` ${unit}` : ''}`);
  return parts.join(' · ');
}

/** Cursors on the two beats nearest the middle of the window; a third of the window apart when there are none. */
export function startCalipers(fromMs: number, toMs: number, beats: [number, string][]): Calipers {
  const middle = (fromMs + toMs) / 2;
  const inside = beats.map(([t]) => t).filter((t) => t > fromMs && t < toMs);
  const after = inside.findIndex((t) => t >= middle);
  const at = after > 0 ? after : after < 0 ? inside.length - 1 : 1;
  const a = inside[at - 1], b = inside[at];
  return a !== undefined && b !== undefined ? { a, b } : { a: fromMs + (toMs - fromMs) / 3, b: toMs - (toMs - fromMs) / 3 };
}

/** Keeps a cursor within the window. */
export const within = (ms: number, fromMs: number, toMs: number): number => Math.min(toMs, Math.max(fromMs, ms));
