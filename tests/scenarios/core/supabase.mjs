// Supabase's own client against the embedded stack: rest, storage, password sign-in.
import assert from 'node:assert/strict';
import { createClient } from '@supabase/supabase-js';

const { SUPABASE_URL, ANON_KEY, SERVICE_KEY, PEOPLE } = process.env;
// Node 20 has no WebSocket, which the client wants to see at hand; realtime is not used here.
globalThis.WebSocket ??= class {};
const options = { auth: { persistSession: false, autoRefreshToken: false }, db: { schema: 'nofx' } };
const service = createClient(SUPABASE_URL, SERVICE_KEY, options);
const anon = createClient(SUPABASE_URL, ANON_KEY, options);

const denied = await anon.from('run').select('id');
assert.equal(denied.error.code, '42501');

const person = JSON.parse(PEOPLE).find((one) => one.role === 'viewer');
const wrong = await anon.auth.signInWithPassword({ email: person.email, password: 'wrong' });
assert.equal(wrong.error.code, 'invalid_credentials');
const session = await anon.auth.signInWithPassword({ email: person.email, password: person.password });
assert.equal(session.error, null);
const user = await anon.auth.getUser();
assert.equal(user.data.user.email, person.email);
assert.equal(user.data.user.app_metadata.nofx_role, 'viewer');
// People read through the API: with a token of their own they read no table.
const rows = await anon.from('run').select('id').limit(1);
assert.equal(rows.error.code, '42501');
assert.equal((await service.from('run').select('id').limit(1)).error, null);

const bucket = `test-${process.pid}-${Date.now()}`;
assert.equal((await service.storage.createBucket(bucket, { public: false, fileSizeLimit: '1MB' })).error, null);
const files = service.storage.from(bucket);
assert.equal((await files.upload('a/b.txt', 'hello', { contentType: 'text/plain' })).error, null);
assert.equal((await files.upload('a/b.txt', 'again')).error.statusCode, '409');
assert.equal((await files.upload('a/b.txt', 'second', { upsert: true, contentType: 'text/plain' })).error, null);
assert.equal(await (await files.download('a/b.txt')).data.text(), 'second');
// fetch resolves the dots before it sends: the rest is no path of Storage.
assert.notEqual((await files.upload('../../etc/x', 'bad')).error, null);
const dots = await fetch(`${SUPABASE_URL}/storage/v1/object/${bucket}/..%2f..%2fetc%2fx`, {
  method: 'POST', headers: { apikey: SERVICE_KEY }, body: 'only a name',
});
assert.equal((await dots.json()).Key, `${bucket}/../../etc/x`, 'a name never becomes a path');
const signed = await files.createSignedUrl('a/b.txt', 60);
assert.equal(await (await fetch(signed.data.signedUrl)).text(), 'second');
assert.equal((await fetch(signed.data.signedUrl.replace(/.$/, (c) => (c === 'A' ? 'B' : 'A')))).status, 400);
assert.deepEqual((await files.list('a')).data.map((one) => one.name), ['b.txt']);
assert.equal((await files.move('a/b.txt', 'c.txt')).error, null);
assert.equal((await files.remove(['c.txt', 'none'])).data.length, 1);
assert.equal((await files.upload('big', Buffer.alloc(2 << 20))).error.statusCode, '413');
