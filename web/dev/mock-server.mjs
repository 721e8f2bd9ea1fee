// A stand-in for the Vitalwire server while the web pages are developed and tested alone:
// forty beds at 1 Hz, alerts, quarantine. `node dev/mock-server.mjs [port]`; serves `dist/` too.
import http from 'node:http';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Alerts, seedAlerts } from './mock/alerts.mjs';
import { Quarantine, seedQuarantine } from './mock/quarantine.mjs';
import { makePatients, tile, valueAt } from './mock/patient.mjs';
import { METRICS } from './mock/vitals.mjs';
import { Devices } from './mock/devices.mjs';

const DIST = fileURLToPath(new URL('../dist', import.meta.url));
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.json': 'application/json' };
const CSP = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

export function startMock(port = 0) {
  const began = Date.now();
  const patients = makePatients(began);
  const listeners = new Set();
  const log = [];
  let position = 0;
  const broadcast = (type, data) => {
    position += 1;
    const frame = `event: ${type}\nid: ${position}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
    log.push([position, frame]);
    if (log.length > 4000) log.shift();
    for (const res of listeners) res.write(frame);
  };
  const alerts = new Alerts(broadcast);
  const devices = new Devices(patients, began);
  const find = (id) => patients.find((p) => p.brief.id === id);
  const publish = (topic, payload) => {
    const [root, device, kind] = topic.split('/');
    const p = patients.find((x) => x.device.id === device);
    if (root !== 'vitalwire' || kind !== 'measurements') return quarantine.put(Date.now(), topic, payload, { kind: 'unmatched', path: '', detail: 'No profile matches the topic; write one, or widen the `topic` of an existing one.' });
    for (const r of p ? JSON.parse(payload) : []) {
      const metric = r.n.replace('MDC_PRESS_BLD_NONINV_MAP', 'MDC_PRESS_BLD_NONINV_MEAN');
      p.pushed[metric] = { value: r.v, time: Date.now() };
    }
    return undefined;
  };
  const quarantine = new Quarantine(broadcast, (topic, values) => devices.flowed(topic.split('/')[1], values.length));
  const now = () => Date.now();
  const tileOf = (p) => tile(p, now(), alerts.summary(p.brief.id));
  const ward = (unit) => ({ now_ms: now(), position, units: ['4 East', '4 West'], tiles: patients.filter((p) => !unit || p.location.unit === unit).map(tileOf) });
  seedAlerts(alerts, patients, began);
  seedQuarantine(quarantine, began);

  const tick = () => {
    for (const p of patients) {
      const t = tileOf(p);
      if (p.scenario !== 'recorded' && p.scenario !== 'lost' && p.scenario !== 'silent') alerts.judge(now(), p, t);
      broadcast('tile', tileOf(p));
    }
    alerts.clock(now());
  };
  const timers = [setInterval(tick, 1000), setInterval(() => { broadcast('time', { now_ms: now() }); broadcast('devices', devices.load()); }, 2000)];
  tick();

  const open = { name: 'Trial user', role: 'charge-nurse', open: true, version: '0.1.0' };
  const routes = [
    ['GET', /^\/session$/, () => open],
    ['POST', /^\/log(in|out)$/, () => open],
    ['GET', /^\/ward$/, (_, q) => ward(q.get('unit'))],
    ['GET', /^\/patients$/, (_, q) => patients.map((p) => p.brief).filter((b) => `${b.name} ${b.mrn}`.toLowerCase().includes((q.get('q') ?? '').toLowerCase())).slice(0, 20)],
    ['GET', /^\/patients\/([^/]+)$/, ([id]) => { const p = find(id); const t = tileOf(p); return { tile: t, scores: devices.scores(t), alerts: alerts.open(id), series: Object.entries(METRICS).map(([metric, m], i) => ({ id: p.n * 20 + i, metric, label: m.label, name: m.name, unit: m.unit, device: p.device.id, channel: 0, category: m.category })), associations: devices.associations(p), limits: t.values.filter((v) => v.limits).map((v) => ({ metric: v.metric, ...v.limits, reason: '' })), spo2_scale: p.scale, now_ms: now(), position }; }],
    ['GET', /^\/patients\/([^/]+)\/trends$/, ([id], q) => trends(find(id), q)],
    ['PUT', /^\/patients\/([^/]+)\/limits$/, ([id], _, body) => { find(id).limits[body.metric] = body; return body; }],
    ['PUT', /^\/patients\/([^/]+)\/spo2-scale$/, ([id], _, body) => { find(id).scale = body.scale; return body; }],
    ['GET', /^\/alerts$/, (_, q) => alerts.page(q)],
    ['GET', /^\/alerts\/([^/]+)$/, ([id]) => alerts.all.get(id)],
    ['POST', /^\/alerts\/([^/]+)\/(acknowledge|snooze|escalate|reset)$/, ([id, action], _, body) => alerts.act(now(), id, action, body)],
    ['GET', /^\/devices$/, () => devices.page(now())],
    ['GET', /^\/devices\/([^/]+)$/, ([id]) => ({ device: devices.view(id, now()), associations: devices.history(id) })],
    ['POST', /^\/devices\/([^/]+)\/association$/, ([id], _, body) => devices.associate(id, find(body.patient))],
    ['DELETE', /^\/devices\/([^/]+)\/association$/, ([id]) => devices.associate(id, null)],
    ['POST', /^\/devices\/([^/]+)\/mount$/, ([id], _, body) => devices.mount(id, patients.find((p) => p.location.id === body.location)?.location ?? null)],
    ['GET', /^\/locations$/, () => patients.map((p) => ({ location: p.location, patient: p.brief }))],
    ['GET', /^\/quarantine$/, (_, q) => quarantine.page(q)],
    ['GET', /^\/quarantine\/(\d+)$/, ([o]) => quarantine.detail(Number(o))],
    ['POST', /^\/quarantine\/(\d+)\/release$/, ([o]) => ({ released: quarantine.release(Number(o)) })],
    ['POST', /^\/quarantine\/(\d+)\/discard$/, ([o]) => { quarantine.items.get(Number(o)).item.state = 'discarded'; broadcast('quarantine', { new: quarantine.fresh().length }); return {}; }],
    ['POST', /^\/quarantine\/release-matching$/, (_, __, body) => ({ released: quarantine.fresh().filter((x) => !body.kind || x.item.problems[0].kind === body.kind).filter((x) => quarantine.release(x.item.offset)).length })],
    ['GET', /^\/profiles$/, () => quarantine.profiles],
    ['PUT', /^\/profiles\/([^/]+)$/, ([name], _, body) => { const p = quarantine.profiles.find((x) => x.name === name); if (p) p.text = body.text; else quarantine.profiles.push({ ...body, name, error: '' }); return p ?? body; }],
    ['POST', /^\/profiles\/test$/, (_, __, body) => { const e = quarantine.items.get(body.offset); return quarantine.read(body.text, body.topic ?? e.item.address, body.payload ?? e.payload); }],
    ['GET', /^\/readings\/([^/]+)$/, ([id]) => source(id)],
    ['POST', /^\/associations$/, (_, __, body) => { for (const b of body) devices.bulk(b, patients); return {}; }],
    ['POST', /^\/mock\/publish$/, (_, __, body) => { publish(body.topic, body.payload); return {}; }],
  ];

  function trends(p, q) {
    const from = Number(q.get('from')), to = Math.min(Number(q.get('to')), now()), n = Math.min(Number(q.get('points') ?? 400), 1200);
    const lines = q.get('metrics').split(',').map((metric) => {
      const m = METRICS[metric];
      const width = Math.max((to - from) / n, m.stale > 60 ? 1_200_000 : 1000);
      const line = { metric, label: m.label, unit: m.unit, decimals: m.decimals, time_ms: [], low: [], high: [], last: [], reading: [], doubtful: [], limits: p.limits[metric] ?? (m.low != null || m.high != null ? { low: m.low ?? null, high: m.high ?? null, source: 'policy' } : null) };
      for (let t = from - (from % Math.round(width)); t <= to; t += width) {
        if (p.n % 5 === 0 && Math.floor(t / 3_000_000) % 9 === 0) continue;
        const v = valueAt(p, metric, t), noise = m.stale > 60 ? 0 : Math.abs(wobble(t)) * Math.min(8, width / 20_000) * (metric === 'MDC_PULS_OXIM_SAT_O2' ? 0.2 : 0.7);
        line.time_ms.push(Math.round(t)); line.last.push(v); line.low.push(v - noise); line.high.push(metric === 'MDC_PULS_OXIM_SAT_O2' ? Math.min(100, v + noise) : v + noise);
        line.reading.push(`${p.n}~${metric}~${Math.round(t)}`); line.doubtful.push(p.scenario === 'artefact' && Math.floor(t / 600_000) % 7 === 0);
      }
      return line;
    });
    return { from_ms: from, to_ms: to, lines };
  }
  const wobble = (t) => Math.sin(t / 1000) * Math.cos(t / 777);

  function source(id) {
    const [n, metric, t] = decodeURIComponent(id).split('~');
    const p = patients[Number(n)], m = METRICS[metric], time = Number(t), value = Number(valueAt(p, metric, time).toFixed(m.decimals));
    const payload = JSON.stringify([{ bn: '', bt: time / 1000, n: metric, u: m.unit, v: value }], null, 1);
    return { reading: id, metric, name: m.name, value, text: null, unit: m.unit, patient: p.brief, device: p.device.id, device_name: p.device.name, time_ms: time, device_time_ms: time + 1200, received_ms: time + 180, flags: ['clock-corrected'], offset: 48_000 + p.n, index: 0, message: { protocol: 'mqtt', address: `vitalwire/${p.device.id}/measurements`, sender: p.device.id, message_id: `c${p.n}-${time % 100000}`, profile: 'native', received_ms: time + 180, size: payload.length, payload, payload_format: 'text' } };
  }

  const server = http.createServer((req, res) => {
    const url = new URL(req.url, 'http://localhost');
    if (url.pathname === '/api/v1/live') return live(req, res);
    if (!url.pathname.startsWith('/api/v1/')) return file(url.pathname, req, res);
    let body = '';
    req.on('data', (c) => { body += c; });
    req.on('end', () => {
      const path = url.pathname.slice('/api/v1'.length);
      const route = routes.find(([method, re]) => method === req.method && re.test(path));
      try {
        const result = route?.[2](route[1].exec(path).slice(1).map(decodeURIComponent), url.searchParams, body ? JSON.parse(body) : {});
        res.writeHead(result === undefined ? 404 : 200, { 'content-type': 'application/json' });
        res.end(JSON.stringify(result ?? { error: 'not-found', message: 'There is no such thing here.' }));
      } catch (e) { res.writeHead(400, { 'content-type': 'application/json' }); res.end(JSON.stringify({ error: 'bad-request', message: String(e.message) })); }
    });
  });
  function live(req, res) {
    res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    const last = Number(req.headers['last-event-id'] ?? -1);
    if (last >= 0 && log.length && last >= log[0][0] - 1) for (const [id, frame] of log) { if (id > last) res.write(frame); }
    else res.write(`event: ward\nid: ${position}\ndata: ${JSON.stringify({ type: 'ward', ...ward() })}\n\n`);
    listeners.add(res);
    req.on('close', () => listeners.delete(res));
  }
  function file(path, req, res) {
    let full = join(DIST, normalize(path));
    if (!full.startsWith(DIST) || !existsSync(full) || statSync(full).isDirectory()) full = join(DIST, 'index.html');
    const gz = existsSync(`${full}.gz`) && /gzip/.test(req.headers['accept-encoding'] ?? '');
    res.writeHead(200, { 'content-type': TYPES[extname(full)] ?? 'application/octet-stream', 'content-security-policy': CSP, ...(gz ? { 'content-encoding': 'gzip' } : {}) });
    createReadStream(gz ? `${full}.gz` : full).pipe(res);
  }
  return new Promise((resolve) => {
    server.listen(port, '127.0.0.1', () => resolve({
      url: `http://127.0.0.1:${server.address().port}`,
      cut: () => { for (const res of listeners) res.destroy(); },
      close: () => { timers.forEach(clearInterval); for (const res of listeners) res.destroy(); server.close(); },
    }));
  });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) console.log((await startMock(Number(process.argv[2] ?? 8090))).url);
