import { render } from '@solidjs/testing-library';
import { expect, test } from 'vitest';
import { putLive, sampleNow } from '../testing/live';
import { sampleTile, sampleValue } from '../testing/samples';
import { WardTile } from './WardTile';

const show = (tile: ReturnType<typeof sampleTile>) => render(() => <WardTile tile={tile} tabIndex={0} onFocus={() => {}} />).container;

test('TI-1: without a connection every value is struck through', () => {
  putLive(false);
  const box = show(sampleTile('1'));
  expect(box.querySelector('.cell.stale s')?.textContent).toBe('80');
  expect(box.querySelector('.cell.live')).toBeNull();
});

test('a doubtful value carries a question mark, its points are written out', () => {
  putLive(true);
  const now = sampleNow();
  const fresh = { time_ms: now, stale_at_ms: now + 60_000 };
  const box = show(sampleTile('1', { values: [sampleValue({ ...fresh, state: 'doubtful', flags: ['artefact'] }), sampleValue({ ...fresh, metric: 'MDC_RESP_RATE', label: 'RR', value: 26, points: 3 })] }));
  expect(box.querySelector('.cell.doubtful')?.textContent).toContain('80?');
  expect(box.querySelector('.cell.doubtful')?.textContent).toContain('doubtful: artefact');
  expect(box.querySelector('.cell.live .p3')?.textContent).toContain('+3');
});

test('the alarm is said in colour, shape and word', () => {
  const box = show(sampleTile('1', { alarm: { priority: 'high', count: 2, title: 'Score high', episode: 'e', since_ms: 0, acknowledged: false, sounding: true } }));
  const bar = box.querySelector('.alarm-bar.high');
  expect(bar?.textContent).toContain('!!!');
  expect(bar?.textContent).toContain('High');
  expect(bar?.textContent).toContain('Score high');
  expect(bar?.querySelector('svg')).not.toBeNull();
});
