// Strips on paper: which lines of which length go on which sheet, all in millimetres. No markup here.
import type { QualitySpan, RhythmSpan, WaveChannel } from '../api/types';
import type { Scale } from '../waves/scale';
import { channelWord, kindOf, reasonWord, rhythmWord } from '../waves/channels';
import { countOf, follows, type Stretch } from '../strips/stretches';
import { timeOfDay } from '../ui/format';

/** Inner width of a line on A4 landscape: ten seconds at 25 mm/s. */
export const LINE_MM = 250;
/** Left of a line, for the calibration mark. */
export const MARGIN_MM = 9;
/** Height of a sheet that lines may use, below the header and above the foot. */
export const USABLE_MM = 158;
/** Above the lanes of a line: beats and time. */
export const MARKS_MM = 9;
const ECG_MM = 25, OTHER_MM = 14;
/** So many lines are printed at most: a longer interval is an export, not a print. */
export const MOST_LINES = 60;
export const SPEEDS = [12.5, 25, 50] as const;
export const GAINS = [5, 10, 20] as const;

export interface PrintRequest { from: number; to: number; series: number[]; gain: number; speed: number }

/** Reads an address; null when it names no interval. Anything else that is strange becomes the usual. */
export function readRequest(q: URLSearchParams): PrintRequest | null {
  const from = Number(q.get('from')), to = Number(q.get('to'));
  if (!(from > 1e11) || !(to > from)) return null;
  const one = (list: readonly number[], text: string | null, otherwise: number) => (list.includes(Number(text)) ? Number(text) : otherwise);
  return { from, to, series: (q.get('series') ?? '').split(',').filter(Boolean).map(Number).filter(Number.isInteger), gain: one(GAINS, q.get('gain'), 10), speed: one(SPEEDS, q.get('speed'), 25) };
}

export interface Line { from: number; to: number }
export const lineMs = (speed: number): number => (LINE_MM / speed) * 1_000;
/** The interval cut into lines; at most `MOST_LINES`. */
export function linesOf(from: number, to: number, speed: number): Line[] {
  const ms = lineMs(speed), lines: Line[] = [];
  // A rest shorter than a tenth of a second is no line of its own.
  for (let at = from; at < to - 100 && lines.length < MOST_LINES; at += ms) lines.push({ from: at, to: at + ms });
  return lines;
}

export const laneMm = (c: WaveChannel, gain: number): number => (kindOf(c) === 'ecg' ? ECG_MM * Math.max(1, gain / 10) : OTHER_MM);
export const lineHeight = (channels: WaveChannel[], gain: number): number => MARKS_MM + channels.reduce((sum, c) => sum + laneMm(c, gain), 0);
/** Lines by sheets: as many as fit, at least one. */
export function sheetsOf(lines: Line[], heightMm: number): Line[][] {
  const per = Math.max(1, Math.floor(USABLE_MM / heightMm));
  return Array.from({ length: Math.ceil(lines.length / per) }, (_, i) => lines.slice(i * per, (i + 1) * per));
}

const mm = (n: number): string => n.toFixed(2);
/** The trace of a lane as a path in millimetres; `y0` is where the scale's centre lies. */
export function tracePath(stretches: Stretch[], line: Line, speed: number, scale: Scale, y0: number, half: number): string {
  let path = '', open = false, before: Stretch | undefined;
  for (const s of stretches) {
    const per = s.pairs ? 2 : 1;
    open &&= follows(before, s);
    before = s;
    for (let i = Math.max(0, Math.ceil((line.from - s.startMs) / s.stepMs)), last = countOf(s); i < last; i++) {
      const t = s.startMs + i * s.stepMs;
      if (t > line.to) break;
      for (let k = 0; k < per; k++) {
        const v = s.values[per * i + k]!;
        if (v !== v) { open = false; continue; }
        const y = Math.max(y0 - half, Math.min(y0 + half, y0 - (v - scale.centre) * scale.pxPerUnit));
        path += `${open ? 'L' : 'M'}${mm(((t - line.from) / 1_000) * speed)} ${mm(y)}`;
        open = true;
      }
    }
  }
  return path;
}

/** Lines of the paper each `every` mm. */
export function gridPath(width: number, height: number, every: number): string {
  let path = '';
  for (let x = 0; x <= width + 0.01; x += every) path += `M${mm(x)} 0V${mm(height)}`;
  for (let y = 0; y <= height + 0.01; y += every) path += `M0 ${mm(y)}H${mm(width)}`;
  return path;
}

/** Rhythm and bad signal of the interval in words. */
export function findings(rhythms: RhythmSpan[], quality: QualitySpan[], channels: WaveChannel[], from: number, to: number): string[] {
  const span = (a: number, b: number) => (a <= from && b >= to ? 'throughout' : `${timeOfDay(Math.max(a, from))}–${timeOfDay(Math.min(b, to))}`);
  return [
    ...rhythms.filter((r) => r.to_ms > from && r.from_ms < to).map((r) => `${rhythmWord(r.rhythm)} ${span(r.from_ms, r.to_ms)}`),
    ...quality.filter((q) => q.to_ms > from && q.from_ms < to && reasonWord(q.reason)).flatMap((q) => {
      const c = channels.find((x) => x.series === q.series);
      return c ? [`${channelWord(c)}: ${reasonWord(q.reason)} ${span(q.from_ms, q.to_ms)}`] : [];
    }),
  ];
}
