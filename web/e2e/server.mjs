// The server under test: BASE_URL if one runs already; else VITALWIRE_BIN as `serve --open` in a scratch
// folder; else the development stand-in.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import net from 'node:net';
import mqtt from 'mqtt';
import { startMock } from '../dev/mock-server.mjs';

const freePort = () => new Promise((resolve) => {
  const s = net.createServer().listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => resolve(port)); });
});

async function answers(url, seconds) {
  for (let i = 0; i < seconds * 5; i++) {
    if (await fetch(`${url}/healthz`).then((r) => r.ok, () => false)) return;
    await new Promise((r) => setTimeout(r, 200));
  }
  throw new Error(`${url} does not answer`);
}

/** Publishes over MQTT with QoS 1, waiting for each acknowledgement. */
async function mqttPublisher(url) {
  const client = await mqtt.connectAsync(url, { clientId: `e2e-${process.pid}` });
  return { publish: (topic, payload) => client.publishAsync(topic, payload, { qos: 1 }), stop: () => client.endAsync(true) };
}

const mockPublisher = (url) => ({
  publish: (topic, payload) => fetch(`${url}/api/v1/mock/publish`, { method: 'POST', body: JSON.stringify({ topic, payload }) }),
  stop: async () => undefined,
});

/** Starts or finds the server: `{ url, real, publish(topic, payload), stop() }`. */
export async function startServer() {
  const { BASE_URL, MQTT_URL, VITALWIRE_BIN } = process.env;
  if (BASE_URL) {
    const out = MQTT_URL ? await mqttPublisher(MQTT_URL) : mockPublisher(BASE_URL);
    return { url: BASE_URL, real: !!MQTT_URL, publish: out.publish, stop: out.stop };
  }
  if (!VITALWIRE_BIN) {
    const mock = await startMock();
    return { url: mock.url, real: false, cut: mock.cut, publish: mockPublisher(mock.url).publish, stop: async () => mock.close() };
  }
  const data = await mkdtemp(join(tmpdir(), 'vitalwire-e2e-'));
  const [http, mqttPort, mllp] = await Promise.all([freePort(), freePort(), freePort()]);
  const [bin, ...first] = VITALWIRE_BIN.split(' ');
  const args = first.length ? first : ['serve', '--open'];
  const child = spawn(bin, [...args, '--data', data, '--http', `127.0.0.1:${http}`, '--mqtt', `127.0.0.1:${mqttPort}`, '--mllp', `127.0.0.1:${mllp}`], { stdio: ['ignore', 'inherit', 'inherit'] });
  const url = `http://127.0.0.1:${http}`;
  await answers(url, 30);
  const out = await mqttPublisher(`mqtt://127.0.0.1:${mqttPort}`);
  const stop = async () => {
    await out.stop();
    child.kill('SIGTERM');
    await new Promise((r) => child.once('exit', r));
    await rm(data, { recursive: true, force: true });
  };
  return { url, real: true, publish: out.publish, stop };
}
