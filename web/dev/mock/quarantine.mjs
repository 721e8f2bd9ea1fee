// Quarantine and profiles of the development server.
const PROFILE = `# Wrist wearables of the step-down unit
[match]
topic = "acme/{device}/vitals"

[device]
topic = "device"

[[measurement]]
metric = "MDC_ECG_HEART_RATE"
value = "$.bpm"
unit = "/min"
`;

export class Quarantine {
  constructor(broadcast, deliver) {
    this.items = new Map();
    this.offset = 48_210;
    this.broadcast = broadcast;
    this.deliver = deliver;
    this.profiles = [
      { name: 'native.toml', text: '# The native SenML profile is part of the program.\n', error: '', built_in: true },
      { name: 'acme-band.toml', text: PROFILE, error: '', built_in: false },
    ];
  }

  put(now, topic, payload, problem, protocol = 'mqtt') {
    const offset = ++this.offset;
    const item = { offset, received_ms: now, protocol, address: topic, sender: topic.split('/')[1] ?? topic, profile: '', size: payload.length, state: 'new', understood: 0, problems: [problem] };
    this.items.set(offset, { item, payload });
    this.broadcast('quarantine', { new: this.fresh().length });
    return item;
  }

  fresh() {
    return [...this.items.values()].filter((x) => x.item.state === 'new');
  }

  page(query) {
    const state = query.get('state') ?? 'new';
    const list = [...this.items.values()].map((x) => x.item).filter((i) => state === 'all' || i.state === state).sort((a, b) => b.offset - a.offset);
    const kinds = {};
    for (const { item } of this.fresh()) for (const p of item.problems) kinds[p.kind] = (kinds[p.kind] ?? 0) + 1;
    return { items: list.slice(0, Number(query.get('limit') ?? 100)), total: list.length, by_kind: Object.entries(kinds) };
  }

  /** What a profile text reads from a payload: every `value = "$.key"` under a `metric`. */
  read(text, topic, payload) {
    const trace = [];
    const pattern = /topic\s*=\s*"([^"]+)"/.exec(text)?.[1];
    if (!pattern) return { error: 'line 1: the profile has no `topic` under `[match]`', trace, values: [], problems: [] };
    const ok = new RegExp(`^${pattern.replace(/\+|\{\w+\}/g, '[^/]+').replace('#', '.*')}$`).test(topic);
    trace.push({ step: 'match', ok, detail: `${topic} against ${pattern}` });
    if (!ok) return { error: '', trace, values: [], problems: [{ kind: 'unmatched', path: '', detail: 'no profile matches this topic' }] };
    let body;
    try { body = JSON.parse(payload); trace.push({ step: 'parse', ok: true, detail: `JSON, ${payload.length} bytes` }); }
    catch (e) { trace.push({ step: 'parse', ok: false, detail: e.message }); return { error: '', trace, values: [], problems: [{ kind: 'syntax', path: '$', detail: e.message }] }; }
    const values = [], problems = [];
    for (const [, metric, key] of text.matchAll(/metric\s*=\s*"([^"]+)"\s*\nvalue\s*=\s*"\$\.([^"]+)"/g)) {
      const value = body[key];
      trace.push({ step: 'extract', ok: value != null, detail: value != null ? `$.${key} = ${value}` : `$.${key} is not in the payload` });
      if (value == null) problems.push({ kind: 'missing-field', path: `$.${key}`, detail: 'the field is not in the payload' });
      else { values.push(`${metric} ${value}`); trace.push({ step: 'result', ok: true, detail: `${metric} ${value}` }); }
    }
    return { error: '', trace, values, problems };
  }

  now(topic, payload) {
    for (const p of this.profiles.filter((x) => !x.built_in)) {
      const result = this.read(p.text, topic, payload);
      if (result.values.length || result.trace[0]?.ok) return result;
    }
    return { error: '', trace: [{ step: 'match', ok: false, detail: `no profile matches the topic ${topic}` }], values: [], problems: [] };
  }

  detail(offset) {
    const { item, payload } = this.items.get(offset);
    const result = item.protocol === 'mqtt' ? this.now(item.address, payload) : { trace: [{ step: 'parse', ok: false, detail: item.problems[0].detail }], values: [] };
    return { item, message: { protocol: item.protocol, address: item.address, sender: item.sender, message_id: '', profile: '', received_ms: item.received_ms, size: item.size, payload, payload_format: 'text' }, trace: result.trace, would_yield: result.values.length };
  }

  release(offset) {
    const entry = this.items.get(offset);
    const result = this.now(entry.item.address, entry.payload);
    entry.item.state = 'released';
    entry.item.understood = result.values.length;
    this.deliver(entry.item.address, result.values);
    this.broadcast('quarantine', { new: this.fresh().length });
    return result.values.length;
  }
}

export function seedQuarantine(q, now) {
  q.put(now - 5_400_000, 'ORU^R01', 'MSH|^~\\&|MON|4E|VW|HOSP|20261121103000||ORU^R01|A1187|P|2.5\rPID|||7300523||Novak^Emil\rOBR|1|||MDC_DEV\rOBX|1|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC||9?|262688^MDC_DIM_PERCENT^MDC|||||R\r', { kind: 'bad-value', path: 'OBX[1]-5', detail: '`9?` is not a number; the other values of the message were kept.' }, 'mllp');
  for (let i = 0; i < 5; i++) q.put(now - 900_000 + i * 61_000, `acme/band-${31 + i}/spot`, JSON.stringify({ pulse: 71 + i, sat: 97, batt: 80 - i, ts: now - 900_000 }, null, 1), { kind: 'unmatched', path: '', detail: 'No profile matches the topic; write one, or widen the `topic` of an existing one.' });
  q.put(now - 120_000, 'vitalwire/mon-014/measurements', '[{"bn":"","n":"MDC_GLU","u":"mg/dL","v":5.4},{"n":"MDC_GLU_BLOOD","u":"stone","v":5.4}]', { kind: 'unknown-unit', path: '/1/u', detail: '`stone` is not a UCUM unit of this metric; it wants mmol/L or mg/dL.' });
  q.put(now - 30_000, 'Observation', '{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"0000-0"}]},"valueQuantity":{"value":12}}', { kind: 'unknown-metric', path: 'Observation.code', detail: 'LOINC 0000-0 is not in the metric table.' }, 'fhir');
}
