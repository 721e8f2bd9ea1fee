// Draws a strip of the past: paper, traces, gaps, beats, rhythm, signal quality, time. All lengths in CSS pixels.
import type { BeatPage, WaveChannel } from '../api/types';
import { BEATS, KIND_COLOUR, channelWord, kindOf, reasonWord, rhythmWeight, rhythmWord, unitWord } from '../waves/channels';
import { drawCalibration, drawPaper, xOf, type Axis } from '../waves/paper';
import { spread, type Scale } from '../waves/scale';
import { copyWithin, countOf, follows, gapsOf, LEAST_HOLE_MS, type Stretch } from './stretches';

export const BEAT_ROW = 30, RHYTHM_ROW = 18, TIME_ROW = 20;
export const HEAD_ROWS = BEAT_ROW + RHYTHM_ROW;

export interface StripLane { channel: WaveChannel; stretches: Stretch[]; known: boolean; top: number; height: number; scale: Scale }
export interface StripPicture {
  width: number; height: number; mm: number; axis: Axis; toMs: number; lanes: StripLane[]; marks: BeatPage; gain: number;
  /** The newest time there can be anything of: beyond it is no gap but the future. */
  nowMs: number;
  /** Colours by the names of `tokens.css`. */
  colour: (name: string) => string;
  /** The lane that calipers measure. */
  chosen: number;
  alerts: { ms: number; word: string; priority: string }[];
}

const scratch = new Float32Array(65_536);
/** The scale of a lane: ECG at the chosen gain, its signal in the middle; the others so that they fit. */
export function laneScale(channel: WaveChannel, stretches: Stretch[], fromMs: number, toMs: number, height: number, mm: number, gain: number): Scale {
  const n = copyWithin(stretches, fromMs, toMs, scratch);
  const { low, middle, high } = n ? spread(scratch, n) : { low: 0, middle: 0, high: 0 };
  return scaleOf(channel, low, middle, high, height, mm, gain);
}

/** The same for what moves between `low` and `high`, mostly about `middle`. */
export function scaleOf(channel: WaveChannel, low: number, middle: number, high: number, height: number, mm: number, gain: number): Scale {
  if (kindOf(channel) === 'ecg' && /^m?V$|^uV$/.test(channel.unit)) {
    const perUnit = gain * mm * (channel.unit === 'uV' ? 0.001 : channel.unit === 'V' ? 1_000 : 1);
    const fits = (high - low) * perUnit < height * 0.92;
    return { centre: Math.round(((fits ? (low + high) / 2 : middle) * 20)) / 20, pxPerUnit: perUnit, word: `${gain} mm/mV` };
  }
  const step = kindOf(channel) === 'abp' ? 20 : 10 ** Math.floor(Math.log10(Math.max(1e-6, high - low)) - 0.3);
  const from = Math.floor(low / step) * step, to = Math.max(from + step, Math.ceil(high / step) * step);
  return { centre: (from + to) / 2, pxPerUnit: (height * 0.86) / (to - from), word: high > low ? `${+from.toPrecision(4)}–${+to.toPrecision(4)} ${unitWord(channel.unit)}` : '' };
}

export const laneY = (lane: StripLane, value: number): number => Math.max(lane.top, Math.min(lane.top + lane.height, lane.top + lane.height / 2 - (value - lane.scale.centre) * lane.scale.pxPerUnit));

function drawTrace(ctx: CanvasRenderingContext2D, p: StripPicture, lane: StripLane): void {
  ctx.beginPath();
  ctx.strokeStyle = p.colour(kindOf(lane.channel) === 'ecg' ? '--trace' : KIND_COLOUR[kindOf(lane.channel)]);
  ctx.lineWidth = 1.3;
  ctx.lineJoin = 'round';
  let before: Stretch | undefined, open = false;
  for (const s of lane.stretches) {
    const per = s.pairs ? 2 : 1;
    open &&= follows(before, s);
    before = s;
    for (let i = Math.max(0, Math.floor((p.axis.fromMs - s.startMs) / s.stepMs) - 1), last = countOf(s); i < last; i++) {
      const x = xOf(p.axis, s.startMs + i * s.stepMs);
      if (x > p.width + 2) break;
      for (let k = 0; k < per; k++) {
        const v = s.values[per * i + k]!;
        if (v !== v) { open = false; continue; }
        if (open) ctx.lineTo(x, laneY(lane, v));
        else ctx.moveTo(x, laneY(lane, v));
        open = true;
      }
    }
  }
  ctx.stroke();
}

/** Hatches what was not measured and says how long it lasted. */
function drawGaps(ctx: CanvasRenderingContext2D, p: StripPicture, lane: StripLane): void {
  const to = Math.min(p.toMs, p.nowMs);
  const from = Math.max(p.axis.fromMs, lane.channel.first_ms);
  if (!lane.known || to <= from) return;
  const gaps = gapsOf(lane.stretches, from, to);
  for (const s of lane.stretches) {
    let since = -1;
    for (let i = 0; i <= s.values.length && !s.pairs; i++) {
      const missing = i < s.values.length && Number.isNaN(s.values[i]);
      if (missing && since < 0) since = i;
      if (!missing && since >= 0) {
        const gap = { fromMs: s.startMs + since * s.stepMs, toMs: s.startMs + i * s.stepMs };
        if (gap.toMs - gap.fromMs >= LEAST_HOLE_MS) gaps.push(gap);
        since = -1;
      }
    }
  }
  ctx.font = '11px sans-serif';
  ctx.textAlign = 'center';
  for (const gap of gaps) {
    const x = Math.max(0, xOf(p.axis, gap.fromMs)), end = Math.min(p.width, xOf(p.axis, gap.toMs));
    if (end - x < 1) continue;
    ctx.save();
    ctx.beginPath();
    ctx.rect(x, lane.top + 1, end - x, lane.height - 2);
    ctx.clip();
    ctx.strokeStyle = p.colour('--hatch');
    ctx.lineWidth = 2;
    ctx.beginPath();
    for (let d = x - lane.height; d < end; d += 9) { ctx.moveTo(d, lane.top + lane.height); ctx.lineTo(d + lane.height, lane.top); }
    ctx.stroke();
    ctx.restore();
    const word = `no signal ${((gap.toMs - gap.fromMs) / 1_000).toFixed(1)} s`;
    if (end - x > 90) chip(ctx, p, word, (x + end) / 2, lane.top + lane.height / 2);
  }
}

function chip(ctx: CanvasRenderingContext2D, p: StripPicture, word: string, x: number, y: number, ink = '--ink', ground = '--surface'): void {
  const width = ctx.measureText(word).width + 10;
  ctx.fillStyle = p.colour(ground);
  ctx.fillRect(x - width / 2, y - 8, width, 16);
  ctx.fillStyle = p.colour(ink);
  ctx.textBaseline = 'middle';
  ctx.fillText(word, x, y);
}

/** The mark of a beat: a shape for each class, so that colour is not needed. */
export function drawBeat(ctx: CanvasRenderingContext2D, letter: string, x: number, y: number, size: number): void {
  ctx.beginPath();
  switch (BEATS[letter]?.shape ?? 'ring') {
    case 'down': ctx.moveTo(x - size, y - size); ctx.lineTo(x + size, y - size); ctx.lineTo(x, y + size); ctx.fill(); break;
    case 'up': ctx.moveTo(x - size, y + size); ctx.lineTo(x + size, y + size); ctx.lineTo(x, y - size); ctx.fill(); break;
    case 'square': ctx.fillRect(x - size, y - size, 2 * size, 2 * size); break;
    case 'diamond': ctx.moveTo(x, y - size - 1); ctx.lineTo(x + size + 1, y); ctx.lineTo(x, y + size + 1); ctx.lineTo(x - size - 1, y); ctx.fill(); break;
    case 'ring': ctx.lineWidth = 1.5; ctx.arc(x, y, size, 0, 7); ctx.stroke(); break;
    case 'none': ctx.fillRect(x - 0.5, y - size, 1, 2 * size); break;
  }
}

function drawBeats(ctx: CanvasRenderingContext2D, p: StripPicture): void {
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  let before = -1;
  for (const [t, letter] of p.marks.beats) {
    const x = xOf(p.axis, t);
    if (x < -60 || x > p.width + 60) continue;
    const colour = p.colour(BEATS[letter]?.colour ?? '--ink-3');
    ctx.fillStyle = ctx.strokeStyle = colour;
    drawBeat(ctx, letter, x, 23, 4);
    ctx.font = letter === 'N' ? '11px sans-serif' : 'bold 13px sans-serif';
    ctx.fillText(letter, x, 8);
    if (before >= 0 && t - before < 3_000 && (t - before) * p.axis.pxPerMs > 44) {
      ctx.font = '10px sans-serif';
      ctx.fillStyle = p.colour('--ink-3');
      ctx.fillText(String(Math.round(t - before)), (x + xOf(p.axis, before)) / 2, 9);
    }
    before = t;
  }
}

function drawRhythms(ctx: CanvasRenderingContext2D, p: StripPicture): void {
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'left';
  for (const r of p.marks.rhythms) {
    const x = Math.max(0, xOf(p.axis, r.from_ms)), end = Math.min(p.width, xOf(p.axis, r.to_ms));
    if (end <= x) continue;
    const weight = rhythmWeight(r.rhythm);
    ctx.fillStyle = p.colour(['--sunken', '--medium', '--high'][weight]!);
    ctx.fillRect(x, BEAT_ROW + 1, end - x - 1, RHYTHM_ROW - 3);
    ctx.fillStyle = p.colour(['--ink-2', '--medium-ink', '--high-ink'][weight]!);
    ctx.font = `${weight ? 'bold ' : ''}11px sans-serif`;
    const word = rhythmWord(r.rhythm);
    if (end - x > ctx.measureText(word).width + 10) ctx.fillText(word, x + 5, BEAT_ROW + RHYTHM_ROW / 2);
  }
}

/** A bar at the foot of a lane while its signal is bad, with the reason. */
function drawQuality(ctx: CanvasRenderingContext2D, p: StripPicture, lane: StripLane): void {
  ctx.font = '11px sans-serif';
  ctx.textAlign = 'center';
  for (const q of p.marks.quality) {
    if (q.series !== lane.channel.series || !reasonWord(q.reason)) continue;
    const x = Math.max(0, xOf(p.axis, q.from_ms)), end = Math.min(p.width, xOf(p.axis, q.to_ms));
    if (end - x < 1) continue;
    const y = lane.top + lane.height - 5;
    ctx.fillStyle = p.colour('--low');
    ctx.fillRect(x, y, end - x, 4);
    ctx.fillStyle = p.colour('--low-text');
    for (let d = x; d < end; d += 6) ctx.fillRect(d, y, Math.min(3, end - d), 4);
    const word = `⚠ ${reasonWord(q.reason)}`;
    if (end - x > ctx.measureText(word).width + 12) chip(ctx, p, word, (x + end) / 2, y - 9, '--low-text', '--low-soft');
  }
}

const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
function drawTime(ctx: CanvasRenderingContext2D, p: StripPicture): void {
  const y = p.height - TIME_ROW;
  const every = [1, 2, 5, 10, 30].find((s) => s * 1_000 * p.axis.pxPerMs > 66) ?? 60;
  ctx.strokeStyle = p.colour('--ink-3');
  ctx.fillStyle = p.colour('--ink-2');
  ctx.font = '11px sans-serif';
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (let t = Math.ceil(p.axis.fromMs / 1_000) * 1_000; t <= p.toMs; t += 1_000) {
    const x = Math.round(xOf(p.axis, t)) + 0.5, labelled = (t / 1_000) % every === 0;
    ctx.moveTo(x, y);
    ctx.lineTo(x, y + (labelled ? 8 : 4));
    if (labelled) ctx.fillText(CLOCK.format(t), x + 3, y + 12);
  }
  ctx.stroke();
}

/** Draws the whole strip. */
export function drawStrip(ctx: CanvasRenderingContext2D, p: StripPicture): void {
  ctx.clearRect(0, 0, p.width, p.height);
  const paperTop = HEAD_ROWS, paperHeight = p.height - HEAD_ROWS - TIME_ROW;
  ctx.fillStyle = p.colour('--paper');
  ctx.fillRect(0, paperTop, p.width, paperHeight);
  ctx.save();
  ctx.translate(0, paperTop);
  ctx.beginPath();
  ctx.rect(0, 0, p.width, paperHeight);
  ctx.clip();
  // The paper moves with the signal: a line of it stays at the same time.
  drawPaper(ctx, p.width, paperHeight, p.mm, { thin: p.colour('--paper-thin'), thick: p.colour('--paper-thick') }, (p.axis.fromMs % 60_000) * p.axis.pxPerMs);
  ctx.restore();
  drawBeats(ctx, p);
  drawRhythms(ctx, p);
  p.lanes.forEach((lane, i) => {
    drawGaps(ctx, p, lane);
    drawTrace(ctx, p, lane);
    drawQuality(ctx, p, lane);
    drawLaneHead(ctx, p, lane, i === p.chosen);
  });
  drawAlerts(ctx, p);
  drawTime(ctx, p);
}

/** Where an alert was raised: a line through all lanes, with its title at the foot. */
function drawAlerts(ctx: CanvasRenderingContext2D, p: StripPicture): void {
  ctx.font = 'bold 12px sans-serif';
  ctx.textAlign = 'center';
  for (const a of p.alerts) {
    const x = xOf(p.axis, a.ms);
    if (x < 0 || x > p.width) continue;
    ctx.fillStyle = p.colour(`--${a.priority}`);
    ctx.fillRect(x - 1, BEAT_ROW, 2, p.height - TIME_ROW - BEAT_ROW);
    const half = ctx.measureText(a.word).width / 2 + 6;
    chip(ctx, p, a.word, Math.max(half, Math.min(p.width - half, x)), p.height - TIME_ROW - 12, `--${a.priority}-ink`, `--${a.priority}`);
  }
}

function drawLaneHead(ctx: CanvasRenderingContext2D, p: StripPicture, lane: StripLane, chosen: boolean): void {
  const kind = kindOf(lane.channel);
  const colour = p.colour(kind === 'ecg' ? '--trace' : KIND_COLOUR[kind]);
  ctx.textAlign = 'left';
  ctx.textBaseline = 'top';
  ctx.font = 'bold 12px sans-serif';
  const word = channelWord(lane.channel), wide = ctx.measureText(word).width;
  ctx.font = '11px sans-serif';
  const more = ctx.measureText(lane.scale.word).width;
  ctx.globalAlpha = 0.8;
  ctx.fillStyle = p.colour('--paper');
  ctx.fillRect(0, lane.top + 1, wide + more + 20, 16);
  ctx.globalAlpha = 1;
  ctx.fillStyle = p.colour('--ink-2');
  ctx.fillText(lane.scale.word, wide + 14, lane.top + 4);
  ctx.fillStyle = colour;
  ctx.font = 'bold 12px sans-serif';
  ctx.fillText(word, 7, lane.top + 3);
  if (chosen) ctx.fillRect(0, lane.top + 2, 3, lane.height - 4);
  if (kind === 'ecg') {
    ctx.strokeStyle = p.colour('--ink-3');
    ctx.lineWidth = 1.2;
    drawCalibration(ctx, 8, lane.top + lane.height - 8, p.mm, p.gain * p.mm);
  }
}
