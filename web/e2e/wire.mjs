// A wire between browser and server that a test can freeze: bytes stop, connections stand. That is how
// a network mostly dies.
import net from 'node:net';

/** Listens on a free port and forwards to `url`: `{ url, freeze(), thaw(), stop() }`. */
export function wireTo(url) {
  const { hostname, port } = new URL(url);
  const sockets = new Set();
  let frozen = false;
  const server = net.createServer((near) => {
    const far = net.connect(Number(port), hostname);
    for (const s of [near, far]) {
      sockets.add(s);
      s.on('error', () => undefined).on('close', () => { sockets.delete(s); near.destroy(); far.destroy(); });
      if (frozen) s.pause();
    }
    near.on('data', (d) => far.write(d));
    far.on('data', (d) => near.write(d));
    if (frozen) { near.pause(); far.pause(); }
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve({
    url: `http://127.0.0.1:${server.address().port}`,
    freeze: () => { frozen = true; sockets.forEach((s) => s.pause()); },
    thaw: () => { frozen = false; sockets.forEach((s) => s.resume()); },
    stop: () => { server.close(); sockets.forEach((s) => s.destroy()); },
  })));
}
