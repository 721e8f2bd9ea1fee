// Millimetres on a screen and on ECG paper. A browser's millimetre is 96/25.4 px by definition; how long it is in the hand depends on
// the monitor, so a ruler setting kept on this machine corrects it.
import { createSignal } from 'solid-js';

export const CSS_PX_PER_MM = 96 / 25.4;
const KEY = 'vw-ruler';
/** A monitor whose millimetre is outside this would be broken, or the ruler was misread. */
export const RULER_LIMITS: [number, number] = [0.5, 2];

const clampRuler = (n: number): number => (Number.isFinite(n) && n >= RULER_LIMITS[0] && n <= RULER_LIMITS[1] ? n : 1);
const [ruler, setRulerSignal] = createSignal(clampRuler(Number(localStorage.getItem(KEY) ?? 1)));
/** Pixels of this screen for one of CSS: what the ruler said. */
export const rulerFactor = ruler;
export const rulerIsSet = (): boolean => localStorage.getItem(KEY) !== null;
export function setRuler(factor: number): void {
  const kept = clampRuler(factor);
  localStorage.setItem(KEY, kept.toFixed(4));
  setRulerSignal(kept);
}
/** CSS pixels of one true millimetre on this screen. */
export const pxPerMm = (): number => CSS_PX_PER_MM * ruler();
/** The factor by which a line that should measure `wanted` mm is to be drawn longer, when it measures `measured` mm. */
export const rulerFrom = (wanted: number, measured: number, now: number): number => clampRuler((now * wanted) / measured);

/** Time and amplitude to pixels in one strip. */
export interface Axis {
  /** Time at the left edge. */
  fromMs: number;
  pxPerMs: number;
}
export const xOf = (axis: Axis, ms: number): number => (ms - axis.fromMs) * axis.pxPerMs;
export const msOf = (axis: Axis, x: number): number => axis.fromMs + x / axis.pxPerMs;
/** Pixels a millisecond at `speed` mm/s. */
export const pxPerMsAt = (speed: number, mm: number): number => (speed * mm) / 1_000;

export interface PaperColours { thin: string; thick: string }

/** ECG paper: a line each millimetre, a stronger one each five, from the top left corner. */
export function drawPaper(ctx: CanvasRenderingContext2D, width: number, height: number, mm: number, colours: PaperColours, shift = 0): void {
  for (const [every, colour] of [[1, colours.thin], [5, colours.thick]] as const) {
    ctx.beginPath();
    ctx.strokeStyle = colour;
    ctx.lineWidth = 1;
    const step = mm * every;
    for (let x = -(((shift % step) + step) % step); x <= width; x += step) {
      if (x < 0) continue;
      const at = Math.round(x) + 0.5;
      ctx.moveTo(at, 0);
      ctx.lineTo(at, height);
    }
    for (let y = 0; y <= height; y += step) {
      const at = Math.round(y) + 0.5;
      ctx.moveTo(0, at);
      ctx.lineTo(width, at);
    }
    ctx.stroke();
  }
}

/** The calibration mark: a square pulse of `heightPx` (1 mV) that is 5 mm wide, its foot at (`x`, `y`). */
export function drawCalibration(ctx: CanvasRenderingContext2D, x: number, y: number, mm: number, heightPx: number): void {
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.lineTo(x + mm, y);
  ctx.lineTo(x + mm, y - heightPx);
  ctx.lineTo(x + 6 * mm, y - heightPx);
  ctx.lineTo(x + 6 * mm, y);
  ctx.lineTo(x + 7 * mm, y);
  ctx.stroke();
}
