// Which reading the "where does this number come from" panel shows (PR-1).
import { createSignal } from 'solid-js';

const [reading, setReading] = createSignal<string | null>(null);
export const shownReading = reading;
export const showSource = (name: string): void => { setReading(name); };
export const hideSource = (): void => { setReading(null); };

/** A payload laid out for reading: JSON indented, HL7 with a line per segment, the rest as it is. */
export function layOut(payload: string, format: string): string {
  if (format !== 'text') return payload.replace(/(..)(?=.)/g, '$1 ');
  const start = payload.trimStart()[0];
  if (start === '{' || start === '[') {
    try {
      return JSON.stringify(JSON.parse(payload), null, 2);
    } catch {
      return payload;
    }
  }
  return payload.replace(/\r\n?/g, '\n');
}
