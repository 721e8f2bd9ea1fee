// How high a signal is drawn: fixed steps for ECG, so that heights can be compared; what fits for the others.
import type { Kind } from './channels';

/** `y = mid - (value - centre) × pxPerUnit`. */
export interface Scale {
  centre: number;
  pxPerUnit: number;
  /** What to write beside the lane: `10 mm/mV`, `40–140 mmHg`. */
  word: string;
}

const GAINS = [20, 10, 5, 2.5, 1.25];
/** Share of the lane that may be used. */
const USE = 0.88;

/** Lowest, middle and highest of the first `n` of `values`, without the outermost half per cent. Sorts `values`. */
export function spread(values: Float32Array, n: number): { low: number; middle: number; high: number } {
  const sorted = values.subarray(0, n).sort();
  const at = (part: number) => sorted[Math.min(n - 1, Math.max(0, Math.round(part * (n - 1))))] ?? NaN;
  return { low: at(0.005), middle: at(0.5), high: at(0.995) };
}

/** ECG: the largest of the usual gains that fits, its baseline where the signal leaves room. */
function ecgScale(low: number, middle: number, high: number, height: number, mm: number): Scale {
  const gain = GAINS.slice(1).find((g) => (high - low) * g * mm <= height * USE) ?? GAINS[GAINS.length - 1]!;
  const px = gain * mm;
  const centre = Math.max(high - (height * USE) / 2 / px, Math.min(low + (height * USE) / 2 / px, middle));
  return { centre, pxPerUnit: px, word: `${gain} mm/mV` };
}

const round5 = (v: number, up: boolean): number => (up ? Math.ceil(v / 10) : Math.floor(v / 10)) * 10;

/** The scale for a lane of `height` px in which a signal of `kind` moves between `low` and `high`. */
export function fit(kind: Kind, low: number, middle: number, high: number, height: number, mm: number): Scale {
  if (!(high > low)) return { centre: Number.isFinite(middle) ? middle : 0, pxPerUnit: kind === 'ecg' ? 10 * mm : 1, word: kind === 'ecg' ? '10 mm/mV' : '' };
  if (kind === 'ecg') return ecgScale(low, middle, high, height, mm);
  const [from, to] = kind === 'abp' ? [round5(low, false), round5(high, true)] : [low, high];
  return { centre: (from + to) / 2, pxPerUnit: (height * USE) / (to - from), word: kind === 'abp' ? `${from}–${to}` : '' };
}
