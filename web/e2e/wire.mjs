// A wire between browser and server that a test can freeze: bytes stop, connections stand. That is how
// a network mostly dies.
import net from 'node:net';

/** Sends what `far` says to `near`, at most `rate()` bytes a second (0: nothing holds it back), and takes no more than it can send. */
function trickle(far, near, rate) {
  let rest = Buffer.alloc(0), held = false;
  const timer = setInterval(() => {
    const n = Math.ceil(rate() / 10) || rest.length;
    if (rest.length) near.write(rest.subarray(0, n));
    rest = rest.subarray(n);
    if (held && rest.length < 4_096) { held = false; far.resume(); }
  }, 100);
  far.on('close', () => clearInterval(timer)).on('data', (d) => {
    rest = Buffer.concat([rest, d]);
    if (rest.length >= 4_096) { held = true; far.pause(); }
  });
}

/**
 * Listens on a free port and forwards to `url`: `{ url, freeze(), thaw(), slow(bytesPerS), stop() }`. `slow` narrows the connections
 * of live waveforms, those that stand already, too; 0 ends it.
 */
export function wireTo(url) {
  const { hostname, port } = new URL(url);
  const sockets = new Set();
  let frozen = false, rate = 0;
  const server = net.createServer((near) => {
    const far = net.connect(Number(port), hostname);
    for (const s of [near, far]) {
      sockets.add(s);
      s.on('error', () => undefined).on('close', () => { sockets.delete(s); near.destroy(); far.destroy(); });
      if (frozen) s.pause();
    }
    near.on('data', (d) => far.write(d));
    near.once('data', (d) => {
      if (d.includes('/waveforms/live')) trickle(far, near, () => rate);
      else far.on('data', (back) => near.write(back));
    });
    if (frozen) { near.pause(); far.pause(); }
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve({
    url: `http://127.0.0.1:${server.address().port}`,
    freeze: () => { frozen = true; sockets.forEach((s) => s.pause()); },
    thaw: () => { frozen = false; sockets.forEach((s) => s.resume()); },
    slow: (bytesPerS) => { rate = bytesPerS; },
    stop: () => { server.close(); sockets.forEach((s) => s.destroy()); },
  })));
}
