// Devices, associations and load of the development server.
import { METRICS } from './vitals.mjs';

export class Devices {
  constructor(patients, began) {
    this.patients = patients;
    this.began = began;
    this.rows = patients.map((p, i) => ({ id: p.device.id, name: p.device.name, link: p.device.link, standing: 'known', patient: p.brief, location: p.location, protocol: ['mqtt', 'mllp', 'mqtt', 'fhir'][i % 4], offset: i === 9 ? 94_000 : (i % 7) * 40 - 80, clock: i === 9 ? 'off' : 'good', battery: i % 3 ? null : 92 - i * 2, problems: i === 13 ? 4 : 0, quiet: ['lost', 'silent'].includes(p.device.link), base: 42_000 - i * 310 }));
    for (const [i, id] of ['band-31', 'band-32', 'scale-07'].entries()) this.rows.push({ id, name: id.startsWith('band') ? 'Acme Band' : 'Home scale', link: 'online', standing: 'announced', patient: null, location: null, protocol: 'mqtt', offset: null, clock: 'unknown', battery: 64 - i * 9, problems: id === 'band-31' ? 5 : 0, quiet: false, base: 12 + i });
    this.past = [];
  }

  row(id) {
    return this.rows.find((r) => r.id === id);
  }

  view(id, now) {
    const r = this.row(id);
    const age = r.quiet ? 390_000 : 400 + (r.base % 900);
    return { id: r.id, name: r.name, model: r.name.startsWith('Acme') ? 'Acme Band 3' : 'Northmed M8', serial: `SN-${r.base}`, version: '4.2.1', link: r.link, standing: r.standing, patient: r.patient, location: r.location, protocol: r.protocol, last_seen_ms: now - age, messages: r.base + Math.floor((now - this.began) / 1000), values: r.base * 9, per_minute: r.quiet ? 0 : r.standing === 'known' ? 60 : 1, problems: r.problems, clock_offset_ms: r.offset, clock: r.clock, battery: r.battery, delay_ms: r.quiet ? null : 120 + (r.base % 90), metrics: r.standing === 'known' ? Object.keys(METRICS) : ['MDC_PULS_OXIM_PULS_RATE'] };
  }

  page(now) {
    return { devices: this.rows.map((r) => this.view(r.id, now)), load: this.load(), now_ms: now };
  }

  load() {
    return { messages_per_s: 38 + Math.random() * 4, queue_fill: 0.02 + Math.random() * 0.02, slowed: false, behind: Math.floor(Math.random() * 5), connections: [['mqtt', 33], ['mllp', 10]], counted: [['quarantined: unmatched', 5], ['quarantined: bad-value', 1], ['late', 12], ['refused: topic', 2]] };
  }

  flowed(id, values) {
    if (!this.row(id)) this.rows.push({ id, name: 'Acme Band', link: 'online', standing: 'announced', patient: null, location: null, protocol: 'mqtt', offset: null, clock: 'none', battery: null, problems: 0, quiet: false, base: values });
  }

  associate(id, patient) {
    const r = this.row(id);
    const open = this.past.find((a) => a.device === id && a.end_ms == null);
    if (open) open.end_ms = Date.now();
    r.patient = patient?.brief ?? null;
    if (patient) { r.standing = 'known'; this.past.unshift(this.entry(r, patient, Date.now(), null)); }
    return { device: this.view(id, Date.now()), associations: this.history(id) };
  }

  mount(id, location) {
    this.row(id).location = location;
    return { device: this.view(id, Date.now()), associations: this.history(id) };
  }

  /** The real server creates a patient; the stand-in lends one of its own beds to the device. */
  bulk(b, patients) {
    const p = patients[5];
    p.brief.name = b.name || p.brief.name;
    p.device.id = b.device;
    if (!this.row(b.device)) this.rows.push({ ...this.row('mon-006'), id: b.device });
  }

  entry(r, p, start, end) {
    return { device: r.id, device_name: r.name, patient: p.brief, basis: 'person', by: 'Trial user', start_ms: start, end_ms: end };
  }

  history(id) {
    const r = this.row(id);
    const own = this.patients.find((p) => p.device.id === id);
    const first = own ? [{ ...this.entry(r, own, this.began - 2 * 86_400_000, null), basis: 'location', by: own.location.name }] : [];
    return [...this.past.filter((a) => a.device === id), ...first];
  }

  associations(p) {
    const r = this.row(p.device.id);
    const now = { ...this.entry(r, p, this.began - 2 * 86_400_000, null), basis: 'location', by: p.location.name };
    const before = { ...this.entry(this.row('scale-07'), p, this.began - 3 * 86_400_000, this.began - 2.1 * 86_400_000) };
    return [...this.past.filter((a) => a.patient.id === p.brief.id), now, before];
  }

  scores(tile) {
    const v = (m) => tile.values.find((x) => x.metric === m);
    const hr = v('MDC_ECG_HEART_RATE').value, sys = v('MDC_PRESS_BLD_NONINV_SYS').value, rr = v('MDC_RESP_RATE').value;
    const base = { complete: true, trend: [], time_ms: tile.score.time_ms, band: 'none', response: '' };
    const part = (metric, points) => ({ metric, label: v(metric).label, value: v(metric).value, points, state: 'used' });
    const q = [part('MDC_RESP_RATE', rr >= 22 ? 1 : 0), part('MDC_PRESS_BLD_NONINV_SYS', sys <= 100 ? 1 : 0), part('VW_CONSCIOUSNESS', v('VW_CONSCIOUSNESS').value ? 1 : 0)];
    return [
      tile.score,
      { ...base, name: 'qSOFA', value: q.reduce((s, x) => s + x.points, 0), source: 'Singer et al., JAMA 2016', parts: q },
      { ...base, name: 'SIRS', value: 1, complete: false, source: 'Bone et al., Chest 1992', parts: [part('MDC_ECG_HEART_RATE', hr > 90 ? 1 : 0), { metric: 'VW_WBC', label: 'WBC', value: null, points: null, state: 'missing' }] },
      { ...base, name: 'MEWS', value: 2, source: 'Subbe et al., QJM 2001', parts: [part('MDC_ECG_HEART_RATE', 1), part('MDC_RESP_RATE', 1)] },
      { ...base, name: 'shock index', value: Number((hr / sys).toFixed(2)), source: 'Allgöwer and Burri, 1967', parts: [] },
    ];
  }
}
