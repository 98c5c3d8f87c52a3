// Supabase's own client on the embedded Realtime: events of the person's tenant come, those of another are refused.
import assert from 'node:assert/strict';
import { createClient } from '@supabase/supabase-js';
import WebSocket from 'ws';

const { SUPABASE_URL, API_URL, ANON_KEY, PEOPLE, CONTRIBUTOR } = process.env;
const options = { auth: { persistSession: false, autoRefreshToken: false }, realtime: { transport: WebSocket } };
const client = createClient(SUPABASE_URL, ANON_KEY, options);
const within = (what, promise) =>
  Promise.race([promise, new Promise((_, fail) => setTimeout(() => fail(new Error(`not within 60 s: ${what}`)), 60_000))]);

// A token that is signed with the project's key pair: PostgREST, Realtime and our API check it by the published half.
const person = JSON.parse(PEOPLE).find((one) => one.role === 'viewer');
const { data } = await client.auth.signInWithPassword({ email: person.email, password: person.password });
const token = data.session.access_token;
assert.equal(JSON.parse(Buffer.from(token.split('.')[0], 'base64url')).alg, 'ES256');
const tenant = data.user.app_metadata.tenant_id;
const runs = await fetch(`${API_URL}/api/runs`, { headers: { authorization: `Bearer ${token}` } });
assert.equal(runs.status, 200, await runs.text());
const [head, claims, signature] = token.split('.');
const more = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(claims, 'base64url')), nofx_role: 'admin' })).toString('base64url');
const forged = await fetch(`${API_URL}/api/runs`, { headers: { authorization: `Bearer ${head}.${more}.${signature}` } });
assert.equal(forged.status, 401);

await client.realtime.setAuth(token);
const join = (topic) => {
  const channel = client.channel(topic, { config: { private: true, broadcast: { self: true } } });
  const heard = [];
  channel.on('broadcast', { event: '*' }, (message) => heard.push(message));
  const joined = new Promise((done) => channel.subscribe((status, error) => status !== 'CLOSED' && done({ status, error })));
  return { channel, heard, joined };
};
const until = async (what, is) => {
  const begun = Date.now();
  while (!is()) {
    assert.ok(Date.now() - begun < 60_000, `not within 60 s: ${what}`);
    await new Promise((done) => setTimeout(done, 20));
  }
};

const outsider = join(`tenant:${crypto.randomUUID()}`);
const refused = await within('a refusal', outsider.joined);
assert.equal(refused.status, 'CHANNEL_ERROR');
assert.match(String(refused.error), /Unauthorized/);
await client.removeChannel(outsider.channel);

const own = join(`tenant:${tenant}`);
assert.equal((await within('a join', own.joined)).status, 'SUBSCRIBED');
const made = await fetch(`${API_URL}/api/runs`, {
  method: 'POST', headers: { authorization: `Bearer ${CONTRIBUTOR}`, 'content-type': 'application/json' },
  body: JSON.stringify({ plan: { goal: 'realtime', steps: [{ name: 'a', tool: 'noop' }] } }),
});
const { id } = await made.json();
const types = () => own.heard.filter((one) => one.event === 'events').flatMap((one) => one.payload.events).filter((one) => one.runid === id).map((one) => one.type);
await until('the events of the run', () => types().includes('run.succeeded'));
assert.deepEqual(types(), ['run.created', 'step.ready', 'run.started', 'step.started', 'step.succeeded', 'run.succeeded']);

// By socket and by REST.
await own.channel.send({ type: 'broadcast', event: 'said', payload: { by: 'socket' } });
await own.channel.httpSend('said', { by: 'rest' });
await until('both broadcasts', () => own.heard.filter((one) => one.event === 'said').length === 2);
assert.deepEqual(own.heard.filter((one) => one.event === 'said').map((one) => one.payload.by).sort(), ['rest', 'socket']);
await client.removeAllChannels();
process.exit(0);
