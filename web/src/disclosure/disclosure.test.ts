import { expect, test } from 'vitest';
import { sampleAlert, T0 } from '../testing/samples';
import { dice } from '../testing/waves';
import { baseline, classColumns } from './draw';
import { countBeats, eventsOf, HOUR_MS, hourOf, openHour, placeOf, timeAt } from './disclosure.state';

const hour = hourOf(T0);

test('place and time are each other’s opposite', () => {
  const random = dice(4);
  for (const rows of [60, 120]) {
    for (let round = 0; round < 200; round++) {
      const ms = hour + random() * (HOUR_MS - 1);
      const at = placeOf(ms, hour, rows)!;
      expect(at.row >= 0 && at.row < rows && at.part >= 0 && at.part < 1).toBe(true);
      expect(timeAt(at.row, at.part, hour, rows)).toBeCloseTo(ms, 2);
    }
  }
  expect([placeOf(hour - 1, hour, 60), placeOf(hour + HOUR_MS, hour, 60), placeOf(hour + 61_000, hour, 60)?.row]).toEqual([null, null, 1]);
});

test('events in order: alerts of the hour, rhythms other than regular', () => {
  const alerts = [sampleAlert({ raised_ms: hour + 5_000, title: 'A' }), sampleAlert({ raised_ms: hour - 5_000 }), sampleAlert({ raised_ms: hour + HOUR_MS })];
  const rhythms = [{ from_ms: hour - 9_000, to_ms: hour + 3_000, rhythm: 'bigeminy' }, { from_ms: hour + 3_000, to_ms: hour + 9_000, rhythm: 'regular' }, { from_ms: hour + 9_000, to_ms: hour + 12_000, rhythm: 'asystole' }];
  expect(eventsOf(alerts, rhythms, hour, (r) => r).map((e) => `${(e.ms - hour) / 1_000} ${e.word} ${e.priority}`)).toEqual(['0 bigeminy medium', '5 A medium', '9 asystole high']);
});

test('beats of the hour by class; columns about one that is not normal bear its letter', () => {
  const beats: [number, string][] = [[hour + 1_000, 'N'], [hour + 2_000, 'V'], [hour + HOUR_MS, 'V']];
  expect([...countBeats(beats, hour)]).toEqual([['N', 1], ['V', 1]]);
  const columns = classColumns({ beats, rhythms: [], quality: [] }, hour, 60, 600);
  expect([columns[10], columns[18], columns[20], columns[21], columns[23]]).toEqual([undefined, 'V', 'V', 'V', undefined]);
});

test('an hour from an address; nonsense is the present one', () => {
  expect([openHour(String(T0), 0), openHour('x', T0), openHour(null, T0)]).toEqual([hour, hour, hour]);
  expect(baseline(Float32Array.from([NaN, 1, 2, 3]))).toEqual({ low: 1, middle: 2, high: 2 });
});
