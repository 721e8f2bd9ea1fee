// A locked house with life in it, for pictures and for looking at every page of the security work: people of all roles, a virtual
// ward and two patients of other units, devices in every state of their life, a campaign under way, vulnerabilities, an emergency access
// to review, consents, applications, security events.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import mqtt from 'mqtt';
import { until } from './scenario.mjs';
import { program, startServer } from './server.mjs';

export const PASSWORD = 'correct horse battery staple 7';
const USERS = [
  ['ada', 'administrator'], ['nora', 'nurse', '--unit', 'ICU'], ['nick', 'nurse', '--unit', 'Ward 2'], ['clara', 'charge-nurse', '--unit', 'Ward 2'], ['paula', 'physician'],
  ['phil', 'pharmacist'], ['enzo', 'engineer'], ['olga', 'operations'], ['sue', 'security-officer'], ['rita', 'researcher'], ['peter', 'patient', '--patient', 'pat-b'],
].map(([name, role, ...more]) => [name, role, PASSWORD, ...more]);
const CONFIG = `[zone.wards]\nnetworks = ["127.0.0.0/8", "10.1.0.0/16"]\n[zone.theatre]\nnetworks = ["10.2.0.0/16"]\nroles = ["engineer"]\n`;
const TUF = fileURLToPath(new URL('../../crates/depot/tests/tuf/good', import.meta.url));
const PUMPS = ['pump-1', 'pump-2', 'pump-3', 'pump-4'];

/** Calls of an account without a page: `as(method, path, body)` gives the answer's JSON and throws on a refusal. */
export async function signIn(server, name) {
  const answer = await fetch(`${server.url}/api/v1/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name, password: PASSWORD }) });
  if (!answer.ok) throw new Error(await answer.text());
  const cookie = answer.headers.get('set-cookie').split(';')[0];
  return async (method, path, body) => {
    const done = await fetch(server.url + path, { method, headers: { cookie, 'content-type': 'application/json' }, body: body && JSON.stringify(body) });
    const text = await done.text();
    if (!done.ok) throw new Error(`${method} ${path}: ${done.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  };
}

/** Two patients of other units than the virtual ward's, each with a pulse. */
async function admit(as) {
  const put = (resource) => as('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource);
  for (const [patient, unit, family, given] of [['pat-a', 'ICU', 'Adamsson', 'Ada'], ['pat-b', 'Ward 2', 'Bergström', 'Peter']]) {
    await put({ resourceType: 'Location', id: `bed-${patient}`, status: 'active', name: `${unit} bed 1`, physicalType: { coding: [{ code: 'bd' }] }, partOf: { display: unit } });
    await put({ resourceType: 'Patient', id: patient, gender: 'male', birthDate: '1950-01-01', name: [{ family, given: [given] }], identifier: [{ system: 'urn:mrn', value: `MRN-${patient}`, type: { coding: [{ code: 'MR' }] } }] });
    await put({ resourceType: 'Encounter', id: `stay-${patient}`, status: 'in-progress', class: { code: 'IMP' }, subject: { reference: `Patient/${patient}` }, location: [{ location: { reference: `Location/bed-${patient}` } }] });
    const pulse = { resourceType: 'Observation', status: 'final', subject: { reference: `Patient/${patient}` }, code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] }, effectiveDateTime: new Date().toISOString(), valueQuantity: { value: 71, unit: '/min', system: 'http://unitsofmeasure.org', code: '/min' } };
    await as('POST', '/fhir/Observation', pulse);
  }
}

/** Devices in every state of their life, and what one of them did that it may not. */
async function connect(server, passwords, as) {
  const claim = (device, more) => as('POST', `/api/v1/trust/devices/${device}/claim`, { why: 'Bought for 4 West', zone: 'wards', kind: 'pump', activate: false, ...more });
  await as('POST', '/api/v1/trust/devices/ventilator-7/announcement', { why: 'Delivered on Monday' });
  await claim('pump-21', {});
  await claim('monitor-12', { kind: 'monitor' });
  for (const step of ['verify', 'activate']) await as('POST', `/api/v1/trust/devices/monitor-12/steps/${step}`, { why: 'Checked in the workshop' });
  await claim('pump-22', {});
  await as('POST', '/api/v1/trust/devices/pump-22/steps/verify', { why: 'Checked in the workshop' });
  await claim('pump-23', { activate: true });
  await as('POST', '/api/v1/trust/devices/pump-23/steps/verify', { why: 'Checked in the workshop' });
  await as('POST', '/api/v1/trust/devices/pump-23/steps/activate', { why: 'For 4 West' }).catch(() => undefined);
  await as('POST', '/api/v1/trust/devices/pump-23/steps/suspend', { why: 'The door does not close' });
  await claim('pump-24', {});
  await as('POST', '/api/v1/trust/devices/pump-24/steps/retire', { why: 'Fell down' });
  await as('POST', '/api/v1/trust/devices/monitor-31/steps/activate', { why: 'For bed 12' }).catch(() => undefined);
  await as('PUT', '/api/v1/trust/devices/pump-4/rights', { zone: 'wards', kind: 'pump', metrics: [] });
  const clients = await Promise.all(PUMPS.map((name) => mqtt.connectAsync(`mqtt://${server.doors.mqtt}`, { clientId: name, username: name, password: passwords[name], protocolVersion: 5 })));
  const say = (n, topic, body) => clients[n].publishAsync(`vitalwire/${PUMPS[n]}/${topic}`, JSON.stringify(body), { qos: 1 }).catch(() => undefined);
  for (const n of PUMPS.keys()) {
    await say(n, 'status', { manufacturer: 'Acme', model: 'P2', serial: `S-${70 + n}`, version: n === 3 ? '2.4.1' : '2.3' });
    await say(n, 'measurements', n === 3 ? [{ n: 'MDC_ECG_HEART_RATE', v: 71 }] : [{ n: 'VW_STEPS', v: 1 }]);
  }
  // Two tries to enrol with a code that does not hold.
  for (const device of ['pump-21', 'pump-99']) {
    await fetch(`${server.url}/.well-known/est/simpleenroll`, { method: 'POST', body: 'MAA=', headers: { authorization: `Basic ${Buffer.from(`${device}:0000-0000-0000-0000-0000`).toString('base64')}` } });
  }
  return { clients, say };
}

/** Firmware policy, a known vulnerability, and a campaign whose devices are at different steps. */
async function update(as, say) {
  await as('PUT', '/api/v1/fleet/minimums', [{ manufacturer: 'Acme', model: 'P2', version: '2.4' }]);
  const advisory = 'id,title,manufacturer,model,versions,cvss\nCVE-2099-7,The web page of the pump asks for no password,Acme,P2,<2.4,9.1\nCVE-2099-8,The clock can be set by anybody on the network,Acme,P2,<2.4,5.3\n';
  await as('POST', '/api/v1/fleet/advisories', { name: 'office.csv', text: advisory });
  const [image] = await until(() => as('GET', '/api/v1/fleet/images'), (images) => images.some((i) => i.here));
  await until(() => as('GET', '/api/v1/fleet/inventory?q=acme'), (page) => page.devices.filter((d) => d.firmware).length >= PUMPS.length);
  const { number } = await as('POST', '/api/v1/fleet/campaigns', { name: 'Spring update of the pumps', sha256: image.sha256, rings: [100], soak_min: 60 });
  await as('POST', `/api/v1/fleet/campaigns/${number}/resume`, {});
  const member = (step) => until(() => as('GET', `/api/v1/fleet/campaigns/${number}`), (c) => c.members.some((m) => m.step === step), 120);
  await member('offered');
  await say(0, 'firmware', { state: 'downloading' });
  await say(0, 'firmware', { state: 'installed' });
  await say(1, 'firmware', { state: 'downloading' });
  await member('downloading');
}

/** An emergency access that waits for its review, one that is reviewed, consents, an application. */
async function live(server, ada) {
  const [nora, nick, clara, peter] = await Promise.all(['nora', 'nick', 'clara', 'peter'].map((name) => signIn(server, name)));
  const opened = await nora('POST', '/api/v1/break-glass', { patient: 'pat-b', reason: 'alarm', words: 'Alarm next door and nobody there', minutes: 15 });
  await nora('GET', '/api/v1/patients/pat-b');
  await nora('DELETE', `/api/v1/break-glass/${opened.access.id}`);
  await clara('POST', `/api/v1/break-glass/${opened.access.id}/review`, { outcome: 'justified', note: 'I was on my round; she told me at once.' });
  const other = await nick('POST', '/api/v1/break-glass', { patient: 'pat-a', reason: 'consult', words: 'Asked by the ICU to look at the drain', minutes: 60 });
  await nick('GET', '/api/v1/patients/pat-a');
  await nick('GET', '/api/v1/patients/pat-b');
  await peter('POST', '/api/v1/me/consents', { permit: false, categories: ['vital-signs'], recipients: [{ kind: 'role', name: 'pharmacist' }], purposes: [], until_ms: null, in_emergency: true });
  await peter('POST', '/api/v1/me/caregivers', { label: 'My daughter', categories: ['vital-signs'], until_ms: null });
  await clara('PUT', '/api/v1/patients/pat-b/care-team/nora', { account: 'nora', role: 'tele-ICU', team: '', from_ms: null, until_ms: null }).catch(() => undefined);
  await ada('POST', '/api/v1/clients', { id: 'growth', name: 'Growth chart', authentication: 'public', redirect_uris: ['https://growth.example/shown'], launch_url: 'https://growth.example/launch', scopes: 'launch openid fhirUser offline_access patient/*.rs launch/patient', jwks: null, jwks_uri: null, trusted: false, account: null, origins: [] });
  return other.access;
}

/** Starts it; `beds` of the virtual ward speak over the real protocols until `stop()`. */
export async function startHouse({ beds = 10 } = {}) {
  const passwords = {};
  const files = await mkdtemp(join(tmpdir(), 'vitalwire-keys-'));
  let token;
  const server = await startServer({
    users: USERS, config: CONFIG,
    prepare: async (command) => {
      for (const name of PUMPS) passwords[name] = (await command('device', 'add', name)).split(/\s+/).at(-1);
      // The ward's stage hand also mounts devices and brings a profile, which a program of the role service may not.
      token = (await command('user', 'token', 'ehr', '--role', 'administrator')).split(/\s+/)[0];
      await command('device', 'announce', 'monitor-31', '--why', 'Delivered with its key');
      await command('device', 'claim', 'monitor-31', '--why', 'For bed 12', '--kind', 'monitor');
      await command('device', 'certificate', 'monitor-31', '--out', files);
      await command('firmware', 'trust', `${TUF}/1.root.json`);
      await command('firmware', 'import', TUF);
    },
  });
  const { http, mqtt: broker, mllp } = server.doors;
  const ward = spawn(program(), ['sim', '--beds', `${beds}`, '--account', 'ehr', '--token', token, '--http', http, '--mqtt', broker, '--mllp', mllp], { stdio: 'ignore', env: { RUST_LOG: 'warn', ...process.env } });
  const ended = once(ward, 'exit');
  let clients = [];
  const stop = async () => {
    ward.kill('SIGINT');
    await ended;
    await Promise.all(clients.map((c) => c.endAsync(true)));
    await server.stop();
    await rm(files, { recursive: true, force: true });
  };
  try {
    const [ada, enzo] = await Promise.all(['ada', 'enzo'].map((name) => signIn(server, name)));
    await admit(ada);
    const pumps = await connect(server, passwords, enzo);
    clients = pumps.clients;
    await update(enzo, pumps.say);
    await until(() => ada('GET', '/api/v1/ward'), (ward) => ward.tiles.length > beds);
    const access = await live(server, ada);
    return { ...server, ada, enzo, access, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
