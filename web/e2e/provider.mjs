// A real OpenID provider (oidc-provider) as a process of its own, over HTTPS with a certificate of the tests: it is told by
// its parent whom it serves, and on request spoils the ID tokens that it gives out. `node provider.mjs` is the process;
// `startProvider` starts it.
import { execFileSync, fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Who can sign on there; the password is not looked at. */
const PEOPLE = {
  'sub-nina': { preferred_username: 'nina', groups: ['icu-nurses', 'football'] },
  'sub-paul': { preferred_username: 'paul', groups: ['doctors'] },
  'sub-gina': { preferred_username: 'gina', groups: ['kitchen'] },
  'sub-ada': { preferred_username: 'ada', groups: ['doctors'] },
};

/** An authority and a server's certificate by it, made with openssl. */
function certificates(folder) {
  const run = (...args) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  run('req', '-x509', ...curve, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Authority of the tests');
  run('req', '-x509', ...curve, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-keyout', 'server.key', '-out', 'server.pem', '-subj', '/CN=provider',
    '-addext', 'subjectAltName=IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:FALSE');
}

/** Starts the provider: `{ issuer, ca, serve(url), spoil(how), stop() }`. `spoil`: see SPOILED; null: honest again. */
export async function startProvider() {
  const folder = mkdtempSync(join(tmpdir(), 'vitalwire-provider-'));
  certificates(folder);
  const child = fork(fileURLToPath(import.meta.url), [folder], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  const answer = () => new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`the provider ended with ${code}`)));
  });
  const say = (message) => { const answered = answer(); child.send(message); return answered; };
  const { issuer } = await answer();
  return {
    issuer,
    ca: join(folder, 'ca.pem'),
    serve: (...urls) => say({ serve: urls }),
    spoil: (how) => say({ spoil: how }),
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill();
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function main(folder) {
  const { default: Provider } = await import('oidc-provider');
  const { exportJWK, generateKeyPair, SignJWT, decodeJwt } = await import('jose');
  const pair = await generateKeyPair('RS256', { extractable: true });
  const other = await generateKeyPair('RS256', { extractable: true });
  const now = () => Math.floor(Date.now() / 1_000);
  /** What is wrong with a token, and whose key signs it. */
  const SPOILED = {
    nonce: { nonce: 'another' }, audience: { aud: 'somebody-else' }, issuer: { iss: 'https://id.example' }, time: { exp: now() - 3_600, iat: now() - 7_200 },
    key: {}, strong: { amr: ['pwd', 'mfa'] },
  };
  let spoil = null, handle = (_, response) => response.writeHead(503).end();
  const server = https.createServer({ key: readFileSync(join(folder, 'server.key')), cert: readFileSync(join(folder, 'server.pem')) }, (q, a) => handle(q, a));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `https://127.0.0.1:${server.address().port}`;
  const serve = async (urls) => {
    const provider = new Provider(issuer, {
      clients: [{
        client_id: 'vitalwire', client_secret: 'a secret: of the tests/1', redirect_uris: urls.map((url) => `${url}/api/v1/oidc/callback`),
        post_logout_redirect_uris: urls.map((url) => `${url}/`), grant_types: ['authorization_code'], response_types: ['code'],
      }],
      jwks: { keys: [{ ...(await exportJWK(pair.privateKey)), kid: 'k-1', alg: 'RS256', use: 'sig' }] },
      cookies: { keys: ['only of the tests'] },
      claims: { openid: ['sub'], profile: ['preferred_username'], groups: ['groups'] },
      findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...PEOPLE[id] }) }),
    });
    provider.use(async (context, next) => {
      await next();
      if (context.oidc?.route !== 'token' || !spoil || !context.body?.id_token) return;
      const claims = { ...decodeJwt(context.body.id_token), ...SPOILED[spoil] };
      const signer = spoil === 'key' ? other.privateKey : pair.privateKey;
      context.body.id_token = await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'k-1' }).sign(signer);
    });
    handle = provider.callback();
  };
  process.on('message', async (message) => {
    if (message.serve) await serve(message.serve);
    else spoil = message.spoil;
    process.send({ done: true });
  });
  process.on('disconnect', () => process.exit(0));
  process.send({ issuer });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv[2]);
