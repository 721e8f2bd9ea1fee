import { describe, expect, it } from 'vitest';
import { EMPTY, mayGoOn, missing, nextDevice, request, SEPARATOR, visible, whatToDo } from './scan.state';
import type { ScanResult } from '../api/types';

const whole = { ...EMPTY, band: ' 123 ', device: 'pump-1', birth: '1950-02-03' };
const conflict = (code: string, may_be_accepted: boolean) => ({ code, text: code, may_be_accepted });
const result = (conflicts: ScanResult['conflicts']): ScanResult => ({ associated: false, device: 'pump-1', patient: null, agree: [], conflicts });

describe('the scan page', () => {
  it('asks for the wristband, the device, then the second identifier', () => {
    const steps = [EMPTY, { ...EMPTY, band: '1' }, { ...EMPTY, band: '1', device: 'd' }, { ...EMPTY, band: '1', device: 'd', family: 'A' }];
    expect(steps.map(missing)).toEqual(['band', 'device', 'second', 'done']);
  });
  it('sends what there is and nothing else', () => {
    expect(request(whole, ['on-another'])).toEqual({ patient_code: '123', device_code: 'pump-1', family: null, birth_date: '1950-02-03', order_number: null, accept: ['on-another'] });
    expect(nextDevice(whole)).toEqual({ ...whole, device: '' });
    expect(visible(`a${SEPARATOR}b`)).toBe('a␝b');
  });
  it('goes on past what was looked at, and past nothing else', () => {
    const soft = result([conflict('on-another', true), conflict('other-bed', true)]);
    expect(mayGoOn(soft, ['on-another'])).toBe(false);
    expect(mayGoOn(soft, ['on-another', 'other-bed'])).toBe(true);
    expect(mayGoOn(result([conflict('identifiers', false)]), ['identifiers'])).toBe(false);
    expect(mayGoOn({ ...soft, associated: true }, ['on-another', 'other-bed'])).toBe(false);
  });
  it('says what to do about each', () => {
    for (const code of ['unknown-patient', 'identifiers', 'discharged', 'deceased', 'order', 'expired', 'on-another', 'same-kind', 'other-bed']) expect(whatToDo(code)).not.toBe('');
  });
});
