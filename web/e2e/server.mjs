// The server under test: the program itself on free ports, in a scratch folder. VITALWIRE_BIN names it; without, the one that
// cargo built last.
import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import mqtt from 'mqtt';

const freePort = () => new Promise((resolve) => {
  const s = net.createServer().listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => resolve(port)); });
});

/** The program to test. */
export function program() {
  if (process.env.VITALWIRE_BIN) return process.env.VITALWIRE_BIN;
  const built = ['debug', 'release'].map((kind) => fileURLToPath(new URL(`../../target/${kind}/vitalwire`, import.meta.url))).filter(existsSync);
  if (!built.length) throw new Error('no program to test: run `cargo build -p vitalwire`, or name one in VITALWIRE_BIN');
  return built.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
}

/** Runs a command of the program to its end; gives what it printed. */
async function run(args, env) {
  const child = spawn(program(), args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, RUST_LOG: 'warn', ...env } });
  let said = '', wrong = '';
  child.stdout.on('data', (d) => { said += d; });
  child.stderr.on('data', (d) => { wrong += d; });
  const code = await new Promise((resolve, reject) => child.once('close', resolve).once('error', reject));
  if (code !== 0) throw new Error(`${args.join(' ')}: exit code ${code}: ${wrong}`);
  return said.trim();
}

async function answers(url, child, seconds) {
  for (const end = Date.now() + seconds * 1_000; Date.now() < end;) {
    if (await fetch(`${url}/healthz`).then((r) => r.ok, () => false)) return;
    if (child.exitCode !== null) throw new Error(`the program ended with ${child.exitCode}`);
    await new Promise((r) => setTimeout(r, 100));
  }
  throw new Error(`${url} does not answer`);
}

async function end(child, signal) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  await ended;
  clearTimeout(timer);
}

/**
 * Starts the program: `{ url, data, doors, command(...args), said(), publish(topic, payload), halt(signal), resume(), stop() }`. `users`
 * (`[[name, role, password, ...flags]]`, may be none) locks it; without them it runs as an open trial. `config` is a configuration file's text;
 * `prepare(command)` runs commands before the start. `publish` waits for the acknowledgement (QoS 1).
 */
export async function startServer({ users, config, prepare } = {}) {
  const data = await mkdtemp(join(tmpdir(), 'vitalwire-e2e-'));
  for (const [name, role, password, ...more] of users ?? []) await run(['user', 'add', '--data', data, '--role', role, ...more, name], { VITALWIRE_PASSWORD: password });
  const command = (...args) => run([...args, '--data', data]);
  await prepare?.(command);
  if (config) await writeFile(join(data, 'vitalwire.toml'), config);
  const [http, mqttPort, mllp] = await Promise.all([freePort(), freePort(), freePort()]);
  const url = `http://127.0.0.1:${http}`;
  const args = ['serve', ...(users ? [] : ['--open']), ...(config ? ['--config', join(data, 'vitalwire.toml')] : []), '--data', data, '--http', `127.0.0.1:${http}`, '--mqtt', `127.0.0.1:${mqttPort}`, '--mllp', `127.0.0.1:${mllp}`];
  let child, said = '';
  const resume = async () => {
    child = spawn(program(), args, { stdio: ['ignore', 'pipe', 'pipe'], env: { RUST_LOG: 'warn', ...process.env } });
    for (const out of [child.stdout, child.stderr]) out.on('data', (d) => { said += d; });
    child.stderr.pipe(process.stderr, { end: false });
    await answers(url, child, 90);
  };
  await resume();
  // What is published while the program is down waits in the client and is sent when it is back, as a device would.
  const client = users ? null : await mqtt.connectAsync(`mqtt://127.0.0.1:${mqttPort}`, { clientId: `e2e-${process.pid}`, clean: false, reconnectPeriod: 500 });
  return {
    url,
    data,
    /** Where the program listens: `host:port` by name. */
    doors: { http: `127.0.0.1:${http}`, mqtt: `127.0.0.1:${mqttPort}`, mllp: `127.0.0.1:${mllp}` },
    command,
    /** All that the program printed. */
    said: () => said,
    publish: (topic, payload) => client.publishAsync(topic, payload, { qos: 1 }),
    /** Ends the program (`SIGKILL`: as a power cut would); its folder stays. */
    halt: (signal = 'SIGTERM') => end(child, signal),
    resume,
    stop: async () => {
      await client?.endAsync(true);
      await end(child, 'SIGTERM');
      await rm(data, { recursive: true, force: true });
    },
  };
}
