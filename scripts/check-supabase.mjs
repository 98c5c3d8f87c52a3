// Looks whether the Supabase project of .env can be reached: a line for each part, exit code 1 when one cannot.
import { existsSync, readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';

const file = process.argv[2] ?? '.env';
const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
const env = Object.fromEntries(lines.map((line) => line.match(/^([A-Z_]+)=(.*)$/)).filter(Boolean).map(([, name, value]) => [name, value.trim()]));
const { SUPABASE_URL: url, SUPABASE_ANON_KEY: anon, SUPABASE_SERVICE_ROLE_KEY: service } = env;
// No project, nothing to check: the embedded stack needs none.
if (!url) process.exit(0);

const get = async (path, key) => {
  const answer = await fetch(url + path, { headers: { apikey: key, authorization: `Bearer ${key}` }, signal: AbortSignal.timeout(10_000) });
  // PostgREST describes itself only where that is switched on.
  if (!answer.ok && !(path === '/rest/v1/' && answer.status === 404)) throw new Error(`${path} answers ${answer.status}`);
  return answer;
};
const checks = {
  rest: () => get('/rest/v1/', service),
  storage: () => get('/storage/v1/bucket', service),
  auth: () => get('/auth/v1/.well-known/jwks.json', anon),
  realtime: () =>
    new Promise((done, fail) => {
      const to = new URL(`${url}/realtime/v1/websocket?vsn=1.0.0&apikey=${anon}`);
      const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'bm9meC1jaGVjay0xMjM0NQ==' };
      const request = (to.protocol === 'https:' ? https : http).get(to, { headers, timeout: 10_000 });
      request.on('upgrade', (_, socket) => (socket.destroy(), done()));
      request.on('response', (answer) => fail(new Error(`it answers ${answer.statusCode} instead of opening a socket`)));
      request.on('timeout', () => request.destroy(new Error('no answer within 10 s')));
      request.on('error', fail);
    }),
  clock: async () => {
    const skew = (new Date((await get('/rest/v1/', service)).headers.get('date')) - Date.now()) / 1000;
    if (!(Math.abs(skew) < 30)) throw new Error(`this machine is ${Math.round(-skew)} s ahead: tokens would be refused; set its clock`);
  },
};
let failed = false;
for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    console.error(`ok    ${name}`);
  } catch (error) {
    failed = true;
    console.error(`FAIL  ${name}: ${error.cause?.message ?? error.message}`);
  }
}
process.exit(failed ? 1 : 0);
