// Numbers, ages and times as people on a ward read them.
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const short = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
const minute = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' });
const full = new Intl.DateTimeFormat('en-GB', { day: '2-digit', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3 });

/** `12:03:05` */
export const timeOfDay = (ms: number): string => clock.format(ms);
/** `12:03` */
export const hourMinute = (ms: number): string => short.format(ms);
/** `12:03` today, `20 Nov, 12:03` before. */
export const when = (ms: number, now: number): string => (Math.abs(now - ms) < 18 * 3_600_000 ? clock.format(ms) : day.format(ms));
/** `21 Nov 2026, 12:03:05.120` */
export const exactTime = (ms: number): string => full.format(ms);

/** `21 Nov 2026, 12:03`: what people write down. */
export const dateTime = (ms: number): string => minute.format(ms);
/** `21 Nov 2026, 12:03:05`: a line of a log. */
export const dateSecond = (ms: number): string => full.format(ms).replace(/\.\d+$/, '');

/** The age of something: `40 s`, `4 min`, `3 h`, `2 d`. */
export function age(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3_600) return `${Math.floor(s / 60)} min`;
  if (s < 48 * 3_600) return `${Math.floor(s / 3_600)} h`;
  return `${Math.floor(s / 86_400)} d`;
}

/** Time that is left: `4:05`, or `0:00`. */
export function countdown(ms: number): string {
  const s = Math.max(0, Math.ceil(ms / 1000));
  return s >= 3_600 ? `${Math.floor(s / 3_600)} h ${Math.floor((s % 3_600) / 60)} min` : `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;
}

export const number = (value: number | null | undefined, decimals: number): string => (value == null ? '–' : value.toFixed(decimals));

/** Decimals for a value whose metric’s own are not known: none for a whole number, two below ten, else one. */
export const decimalsOf = (value: number | null | undefined): number => (value == null || value % 1 === 0 ? 0 : Math.abs(value) < 10 ? 2 : 1);

/** A signed difference of milliseconds: `+1.2 s`, `−40 ms`. */
export function signedMs(ms: number): string {
  const sign = ms < 0 ? '−' : '+';
  const a = Math.abs(ms);
  if (a < 1_000) return `${sign}${Math.round(a)} ms`;
  return a < 120_000 ? `${sign}${(a / 1000).toFixed(1)} s` : `${sign}${age(a)}`;
}

export function bytes(n: number): string {
  return n < 1_024 ? `${n} B` : n < 1_048_576 ? `${(n / 1_024).toFixed(1)} kB` : `${(n / 1_048_576).toFixed(1)} MB`;
}

/** A reason of the server's as a sentence: with a capital and a full stop. */
export const sentence = (text: string): string => (text ? text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.') : text);

/** `1 value`, `3 values`. */
export const plural = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;

/** `SpO₂`: subscripts where the field writes them. */
export const pretty = (label: string): string => label.replace(/O2/g, 'O₂');
