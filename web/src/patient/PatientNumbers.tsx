// The present values of a patient in one line, for pages that are about something else.
import { createMemo, type Component } from 'solid-js';
import type { Tile } from '../api/types';
import { number } from '../ui/format';
import { pick, pressure, SLOTS } from '../ward/ward.state';
import { ValueCell } from '../ward/ValueCell';

export const PatientNumbers: Component<{ tile: Tile }> = (props) => {
  const slot = (metrics: readonly string[]) => createMemo(() => pick(props.tile.values, metrics));
  const rate = slot(SLOTS.rate), resp = slot(SLOTS.resp), spo2 = slot(SLOTS.spo2);
  const bp = createMemo(() => pressure(props.tile.values));
  const bpText = () => { const p = bp(); return p ? `${number(p.systolic.value, 0)}/${number(p.diastolic?.value, 0)}` : undefined; };
  return (
    <span class="patient-numbers">
      <ValueCell label={rate()?.label ?? 'HR'} value={rate()} />
      <ValueCell label="SpO2" value={spo2()} />
      <ValueCell label={bp()?.systolic.metric.includes('ABP') ? 'ABP' : 'BP'} value={bp()?.systolic} shown={bpText()} />
      <ValueCell label="RR" value={resp()} />
    </span>
  );
};
