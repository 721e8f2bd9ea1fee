// Forty virtual patients: base values, a scenario each, and what their tile shows.
import { METRICS, SCORED, points, random, wave } from './vitals.mjs';

const FAMILY = 'Okafor Lindqvist Marchetti Haddad Novak Petrov Silva Tanaka Byrne Kowalska Mensah Dubois Eriksen Fischer Georgiou Horvat Ivanova Jansen Khan Laurent Moreau Nakamura Oliveira Papadakis Quinn Rossi Schmidt Torres Urbanova Vasquez Weber Xu Yilmaz Zielinska Abebe Bianchi Castellano Delacroix-Montgomery Estrada Fontaine'.split(' ');
const GIVEN = 'Amara Bjorn Chiara Dalia Emil Fatima Goran Hana Ines Jonas Karin Luca Mira Nils Oona Pavel Rosa Samir Tove Uma'.split(' ');
const SCENARIOS = { 3: 'sepsis', 7: 'opioid', 11: 'sensor-off', 14: 'artefact', 18: 'copd', 22: 'lost', 25: 'recorded', 29: 'bleeding', 33: 'silent', 36: 'child' };
const MINDS = ['A', 'C', 'V', 'P', 'U'];

export function makePatients(now) {
  const rand = random(20260104);
  return FAMILY.map((family, i) => {
    const unit = i < 24 ? '4 East' : '4 West';
    const scenario = SCENARIOS[i] ?? 'stable';
    const age = scenario === 'child' ? 6 : 24 + Math.floor(rand() * 68);
    return {
      n: i, scenario, scale: scenario === 'copd' ? 2 : 1, started: now - (i % 9) * 60_000,
      brief: { id: `p-${1000 + i}`, name: `${family}, ${GIVEN[i % GIVEN.length]}`, mrn: String(7300412 + i * 37), birth_date: `${2026 - age}-03-0${1 + (i % 9)}`, age_years: age, sex: i % 2 ? 'male' : 'female' },
      location: { id: `bed-${i + 1}`, unit, name: `${unit.at(2)}${String((i % 24) + 1).padStart(2, '0')}` },
      base: { MDC_ECG_HEART_RATE: 62 + rand() * 22, MDC_RESP_RATE: 13 + rand() * 5, MDC_PULS_OXIM_SAT_O2: 96 + rand() * 3, MDC_PRESS_BLD_NONINV_SYS: 114 + rand() * 26, MDC_TEMP_BODY: 36.4 + rand() * 1 },
      device: { id: `mon-${String(i + 1).padStart(3, '0')}`, name: `Monitor ${i + 1}`, link: scenario === 'lost' ? 'lost' : scenario === 'silent' ? 'silent' : 'online' },
      pushed: {}, limits: {},
    };
  });
}

function drift(p, metric, hours) {
  const k = Math.max(0, Math.min(1, hours / 3));
  const table = {
    sepsis: { MDC_ECG_HEART_RATE: 46, MDC_RESP_RATE: 11, MDC_PULS_OXIM_SAT_O2: -5, MDC_PRESS_BLD_NONINV_SYS: -32, MDC_TEMP_BODY: 2.1 },
    opioid: { MDC_ECG_HEART_RATE: -14, MDC_RESP_RATE: -7.5, MDC_PULS_OXIM_SAT_O2: -9 },
    bleeding: { MDC_ECG_HEART_RATE: 44, MDC_RESP_RATE: 6, MDC_PRESS_BLD_NONINV_SYS: -30 },
    copd: { MDC_PULS_OXIM_SAT_O2: -8, MDC_RESP_RATE: 5 },
    child: { MDC_ECG_HEART_RATE: 30, MDC_RESP_RATE: 7, MDC_PRESS_BLD_NONINV_SYS: -18 },
  }[p.scenario] ?? {};
  return (table[metric] ?? 0) * (p.scenario === 'copd' || p.scenario === 'child' ? 1 : k);
}

/** The value that a metric of this patient had, has or will have at `t`. */
export function valueAt(p, metric, t) {
  const minutes = t / 60_000;
  const hours = (t - p.started) / 3_600_000 + 2.6;
  if (metric === 'MDC_PRESS_BLD_NONINV_DIA') return valueAt(p, 'MDC_PRESS_BLD_NONINV_SYS', t) * 0.6 + 2;
  if (metric === 'MDC_PRESS_BLD_NONINV_MEAN') return valueAt(p, 'MDC_PRESS_BLD_NONINV_SYS', t) * 0.73;
  if (metric === 'VW_CONSCIOUSNESS') return p.scenario === 'opioid' && hours > 2.5 ? 1 : 0;
  if (metric === 'VW_SUPPLEMENTAL_OXYGEN') return ['copd', 'sepsis'].includes(p.scenario) ? 1 : 0;
  const spread = { MDC_ECG_HEART_RATE: 6, MDC_RESP_RATE: 2, MDC_PULS_OXIM_SAT_O2: 1.2, MDC_PRESS_BLD_NONINV_SYS: 9, MDC_TEMP_BODY: 0.3 }[metric];
  const raw = p.base[metric] + drift(p, metric, hours) + spread * wave(p.n + metric.length, minutes);
  return metric === 'MDC_PULS_OXIM_SAT_O2' ? Math.min(100, raw) : raw;
}

function measured(p, metric, now) {
  const slow = METRICS[metric].stale > 60;
  let time = slow ? now - (now % 1_200_000) - p.n * 20_000 : now - (now % 1000);
  if (p.scenario === 'sensor-off' && metric === 'MDC_PULS_OXIM_SAT_O2') time = Math.min(time, p.started - 240_000);
  if ((p.scenario === 'lost' || p.scenario === 'silent') && !slow) time = Math.min(time, p.started - 380_000);
  if (p.scenario === 'stable' && p.n === 30 && metric === 'MDC_TEMP_BODY') time = now - 50_000_000;
  return time;
}

export function currentValue(p, metric, now) {
  const m = METRICS[metric];
  const pushed = p.pushed[metric];
  const time = pushed?.time ?? measured(p, metric, now);
  const value = Number((pushed?.value ?? valueAt(p, metric, time)).toFixed(m.decimals));
  const staleAt = time + m.stale * 1000;
  const artefact = p.scenario === 'artefact' && metric === 'MDC_ECG_HEART_RATE';
  const flags = artefact ? ['artefact'] : m.stale > 60 && metric.startsWith('VW_') ? ['manual'] : [];
  let state = now >= staleAt ? 'stale' : artefact ? 'doubtful' : 'live';
  if (p.scenario === 'recorded') { state = 'recorded'; flags.push('recorded'); }
  const own = p.limits[metric];
  return {
    metric, label: m.label, name: m.name, unit: m.unit, decimals: m.decimals,
    value: artefact ? value + 96 : value, text: metric === 'VW_CONSCIOUSNESS' ? MINDS[value] : metric === 'VW_SUPPLEMENTAL_OXYGEN' ? (value ? 'oxygen' : 'air') : null,
    time_ms: time, received_ms: time + 180, state, stale_at_ms: staleAt, flags,
    reading: `${p.n}~${metric}~${time}`, device: p.device.id,
    points: artefact || now >= staleAt ? null : points(metric, value, p.scale, valueAt(p, 'VW_SUPPLEMENTAL_OXYGEN', time)),
    limits: own ? { low: own.low, high: own.high, source: 'patient' } : m.low != null || m.high != null ? { low: m.low ?? null, high: m.high ?? null, source: 'policy' } : null,
  };
}

const band = (total, parts) => (total >= 7 ? 'high' : total >= 5 ? 'medium' : parts.some((x) => x.points === 3) ? 'low-medium' : total > 0 ? 'low' : 'none');
const RESPONSE = { high: 'Emergency assessment by a team with critical-care competencies; continuous monitoring.', medium: 'Urgent review by a clinician; observe at least hourly.', 'low-medium': 'Urgent ward-based review: one parameter scores 3.', low: 'Assessment by a registered nurse; observe every 4 to 6 hours.', none: 'Routine observation, at least every 12 hours.' };

function totalAt(p, t) {
  return SCORED.reduce((sum, m) => sum + (points(m, Number(valueAt(p, m, t).toFixed(METRICS[m].decimals)), p.scale, 1) ?? 0), 0);
}

export function score(p, values, now) {
  const parts = SCORED.map((metric) => {
    const v = values.find((x) => x.metric === metric);
    const aged = v.points == null;
    return { metric, label: v.label, value: v.value, points: v.points, state: aged ? 'aged' : 'used' };
  });
  const total = parts.reduce((s, x) => s + (x.points ?? 0), 0);
  const minute = now - (now % 300_000);
  const trend = [];
  for (let t = minute - 47 * 300_000; t <= minute; t += 300_000) trend.push([t, totalAt(p, t)]);
  trend.push([now - (now % 60_000), total]);
  const b = band(total, parts);
  return { name: p.scenario === 'child' ? 'PEWS' : 'NEWS2', value: total, complete: parts.every((x) => x.state === 'used'), band: b, response: RESPONSE[b], source: 'Royal College of Physicians, National Early Warning Score (NEWS) 2, 2017', parts, trend, time_ms: now - (now % 1000) };
}

export function tile(p, now, alarm) {
  const values = Object.keys(METRICS).map((m) => currentValue(p, m, now));
  return { patient: p.brief, location: p.location, values, score: score(p, values, now), alarm, devices: [p.device], recorded: p.scenario === 'recorded' };
}
