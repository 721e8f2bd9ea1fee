// Values for tests: whole objects with one thing changed.
import type { Alert, CurrentValue, DeviceView, ScoreView, Tile } from '../api/types';

export const T0 = 1_790_000_000_000;

export const sampleValue = (over: Partial<CurrentValue> = {}): CurrentValue => ({
  metric: 'MDC_ECG_HEART_RATE', label: 'HR', name: 'Heart rate', value: 80, text: null, unit: '/min', decimals: 0, time_ms: T0, received_ms: T0,
  state: 'live', stale_at_ms: T0 + 60_000, flags: [], reading: 'r1', device: 'd1', points: 0, limits: null, ...over,
});

export const sampleScore = (over: Partial<ScoreView> = {}): ScoreView => ({
  name: 'NEWS2', value: 3, complete: true, band: 'low', response: '', note: '', source: '', parts: [], trend: [], time_ms: T0, ...over,
});

export const sampleTile = (id: string, over: Partial<Tile> = {}): Tile => ({
  patient: { id, name: `Family${id}, Given`, mrn: `7${id}`, birth_date: null, age_years: 60, sex: 'female' },
  location: { id: `bed-${id}`, unit: 'East', name: `E${id}` }, values: [sampleValue()], score: sampleScore(),
  alarm: { priority: 'none', count: 0, title: '', episode: '', since_ms: null, acknowledged: false, sounding: false },
  devices: [{ id: 'd1', name: 'Monitor', link: 'online' }], recorded: false, waves: false, ...over,
});

export const sampleAlert = (over: Partial<Alert> = {}): Alert => ({
  episode: 'e1', condition: 'c', title: 'Title', reason: 'Reason', priority: 'medium', state: 'raised', patient: sampleTile('1').patient, location: null,
  device: null, group: '', raised_ms: T0, changed_ms: T0, resolved_ms: null, taken_by: '', quiet_until_ms: null, assigned: 'nurse',
  escalates_ms: null, level: 0, readings: [], ...over,
});

export const sampleDevice = (id: string, over: Partial<DeviceView> = {}): DeviceView => ({
  id, name: id, model: '', serial: '', version: '', link: 'online', standing: 'known', patient: null, on_patient: false, location: null, protocol: 'mqtt', last_seen_ms: T0,
  messages: 1, values: 1, per_minute: 60, problems: 0, clock_offset_ms: 0, clock: 'good', battery: null, delay_ms: 10, metrics: [], ...over,
});
