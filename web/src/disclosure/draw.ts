// Draws the rows of an hour. All lengths in CSS pixels.
import type { BeatPage } from '../api/types';
import { BEATS, rhythmWeight } from '../waves/channels';
import { drawBeat } from '../strips/draw';
import { columnsOf, type Stretch } from '../strips/stretches';
import { HOUR_MS, placeOf } from './disclosure.state';

/** Half of the time about a beat that is drawn in the colour of its class. */
const ABOUT_MS = 180;

export interface HourPicture {
  width: number; rowHeight: number; rows: number; hour: number; stretches: Stretch[]; marks: BeatPage;
  /** Pixels a unit. */
  gain: number;
  colour: (name: string) => string;
}

/** The value in the middle of most of what was measured: where the rows have their baseline. */
export function baseline(columns: Float32Array): { low: number; middle: number; high: number } {
  const sorted = columns.filter((v) => v === v).sort();
  const at = (part: number) => sorted[Math.floor((sorted.length - 1) * part)] ?? 0;
  return { low: at(0.01), middle: at(0.5), high: at(0.99) };
}

export function drawHour(ctx: CanvasRenderingContext2D, p: HourPicture): void {
  const { width, rows, rowHeight, hour } = p;
  ctx.clearRect(0, 0, width, rows * rowHeight);
  ctx.fillStyle = p.colour('--paper');
  ctx.fillRect(0, 0, width, rows * rowHeight);
  drawTints(ctx, p);
  ctx.fillStyle = p.colour('--line');
  for (let i = 1; i < 6; i++) ctx.fillRect(Math.round((width * i) / 6), 0, 1, rows * rowHeight);
  const columns = columnsOf(p.stretches, hour, hour + HOUR_MS, rows * width);
  const { middle } = baseline(columns);
  const classes = classColumns(p.marks, hour, rows, width);
  const traces = new Map<string, Path2D>();
  let last = NaN;
  for (let i = 0; i < rows * width; i++) {
    const row = Math.floor(i / width), x = i % width;
    if (x === 0) last = NaN;
    let low = columns[2 * i]!, high = columns[2 * i + 1]!;
    if (!(low === low)) { last = NaN; continue; }
    const end = (low + high) / 2;
    if (last === last) { low = Math.min(low, last); high = Math.max(high, last); }
    last = end;
    const centre = (row + 0.62) * rowHeight;
    const letter = classes[i] ?? '';
    let path = traces.get(letter);
    if (!path) traces.set(letter, (path = new Path2D()));
    path.rect(x, centre - (high - middle) * p.gain, 1, Math.max(1, (high - low) * p.gain));
  }
  for (const [letter, path] of traces) {
    ctx.fillStyle = p.colour(letter ? (BEATS[letter]?.colour ?? '--ink-3') : '--trace');
    ctx.fill(path);
  }
  drawMarks(ctx, p);
}

/** The letter of the class of each column that is near a beat other than normal. */
export function classColumns(marks: BeatPage, hour: number, rows: number, width: number): (string | undefined)[] {
  const out: (string | undefined)[] = [];
  const perMs = (rows * width) / HOUR_MS;
  for (const [t, letter] of marks.beats) {
    if (letter === 'N') continue;
    for (let i = Math.max(0, Math.floor((t - ABOUT_MS - hour) * perMs)); i <= (t + ABOUT_MS - hour) * perMs && i < rows * width; i++) out[i] = letter;
  }
  return out;
}

/** Rows during rhythms other than regular ones are tinted, with a line at the foot. */
function drawTints(ctx: CanvasRenderingContext2D, p: HourPicture): void {
  for (const r of p.marks.rhythms) {
    const weight = rhythmWeight(r.rhythm);
    if (!weight) continue;
    const from = ((Math.max(p.hour, r.from_ms) - p.hour) / HOUR_MS) * p.rows, to = ((Math.min(p.hour + HOUR_MS, r.to_ms) - p.hour) / HOUR_MS) * p.rows;
    for (let row = Math.floor(from); row < to; row++) {
      const x = Math.max(0, from - row) * p.width, end = Math.min(1, to - row) * p.width;
      ctx.fillStyle = p.colour(weight > 1 ? '--high-soft' : '--medium-soft');
      ctx.fillRect(x, row * p.rowHeight, end - x, p.rowHeight);
      ctx.fillStyle = p.colour(weight > 1 ? '--high' : '--medium');
      ctx.fillRect(x, (row + 1) * p.rowHeight - 2, end - x, 2);
    }
  }
}

function drawMarks(ctx: CanvasRenderingContext2D, p: HourPicture): void {
  for (const [t, letter] of p.marks.beats) {
    const at = letter === 'N' ? null : placeOf(t, p.hour, p.rows);
    if (!at) continue;
    ctx.fillStyle = ctx.strokeStyle = p.colour(BEATS[letter]?.colour ?? '--ink-3');
    drawBeat(ctx, letter, at.part * p.width, at.row * p.rowHeight + 3.5, 2.6);
  }
}
