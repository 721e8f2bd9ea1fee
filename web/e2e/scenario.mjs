// A patient whose monitor the test plays: publishes once a second what the test says.
import assert from 'node:assert/strict';

export const WELL = { MDC_ECG_HEART_RATE: 78, MDC_RESP_RATE: 15, MDC_PULS_OXIM_SAT_O2: 98, MDC_PRESS_BLD_NONINV_SYS: 124, MDC_PRESS_BLD_NONINV_DIA: 76, MDC_TEMP_BODY: 37.0, VW_CONSCIOUSNESS: 0, VW_SUPPLEMENTAL_OXYGEN: 0 };
export const ILL = { ...WELL, MDC_ECG_HEART_RATE: 122, MDC_RESP_RATE: 27, MDC_PULS_OXIM_SAT_O2: 90, MDC_PRESS_BLD_NONINV_SYS: 98, MDC_TEMP_BODY: 38.6 };

export const senml = (values) => JSON.stringify(Object.entries(values).map(([n, v]) => ({ n, v })));

/** Puts `device` on a new patient called `name` and lets it speak; `say(values)` changes what it says. */
export async function playMonitor(server, device, name) {
  let values = WELL;
  const speak = () => server.publish(`vitalwire/${device}/measurements`, senml(values));
  await speak();
  const body = JSON.stringify([{ device, identifier: `urn:e2e|${device}`, name, birth_date: '1950-01-01', sex: 'female' }]);
  const answer = await fetch(`${server.url}/api/v1/associations`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  assert.ok(answer.ok, await answer.text());
  const timer = setInterval(() => void speak().catch(() => undefined), 1_000);
  await speak();
  return { say: (next) => { values = next; return speak(); }, stop: () => clearInterval(timer) };
}

/** Asks `ask` until `good` holds for its answer. */
export async function until(ask, good, seconds = 60) {
  for (const end = Date.now() + seconds * 1_000; ;) {
    const got = await ask().catch(() => undefined);
    if (got !== undefined && good(got)) return got;
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${JSON.stringify(got)?.slice(0, 300)}`);
    await new Promise((r) => setTimeout(r, 250));
  }
}
