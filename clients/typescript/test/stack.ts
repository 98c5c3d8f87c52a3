// Against a real API: URL, and tokens of a contributor and a supervisor, are in the environment.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { release } from '../examples/release.js';
import { connect, download, Refused, stream, submit, wait } from '../src/index.js';

const { API_URL = '', CONTRIBUTOR = '', SUPERVISOR = '' } = process.env;
const author = connect({ url: `${API_URL}/`, token: CONTRIBUTOR });
const approver = connect({ url: API_URL, token: SUPERVISOR });

assert.equal(await release(author, approver), 'version 1\n');

// The same key is the same run.
const plan = { goal: 'one', steps: [{ name: 'a', tool: 'noop' }] };
const idempotencyKey = randomUUID();
const first = await submit(author, { plan }, { idempotencyKey });
assert.equal((await submit(author, { plan }, { idempotencyKey })).id, first.id);
assert.equal((await wait(author, first.id)).status, 'succeeded');

// Whoever continues behind an event gets all later ones, and only those.
const seen: string[] = [];
for await (const event of stream(author, { runId: first.id })) {
  seen.push(event.id);
  if (event.type === 'run.succeeded') break;
}
const later: string[] = [];
for await (const event of stream(author, { runId: first.id, after: seen[0] ?? '' })) {
  later.push(event.id);
  if (event.type === 'run.succeeded') break;
}
assert.ok(seen.length > 2);
assert.deepEqual(later, seen.slice(1));

// A run that fails is returned, not thrown.
const failing = await submit(author, { plan: { goal: 'fail', steps: [{ name: 'a', tool: 'fail' }] } });
assert.equal((await wait(author, failing.id)).status, 'failed');

// Refusals say what is wrong and where.
const refused = async (promise: Promise<unknown>): Promise<Refused> => {
  const error = await promise.then(() => undefined, (reason: unknown) => reason);
  assert.ok(error instanceof Refused, String(error));
  return error;
};
const invalid = await refused(submit(author, { plan: { goal: 'x', steps: [{ name: 'a', tool: 'noop', needs: ['b'] }] } }));
assert.equal(invalid.status, 422);
assert.match(invalid.problem?.errors?.[0]?.pointer ?? '', /^\/steps\/0/);
assert.equal((await refused(wait(author, randomUUID()))).problem?.type, 'https://nofx.dev/problems/run-not-found');
assert.equal((await refused(download(author, randomUUID()))).status, 404);
assert.equal((await refused(submit(connect({ url: API_URL, token: 'nobody' }), { plan }))).status, 401);
assert.equal((await refused(stream(connect({ url: API_URL, token: 'nobody' })).next())).status, 401);

// Whoever has waited long enough stops.
const paused = await submit(author, { plan: { goal: 'wait', steps: [{ name: 'a', tool: 'manual:x' }] } });
const stop = new AbortController();
const waiting = wait(author, paused.id, { signal: stop.signal });
stop.abort(new Error('enough'));
await assert.rejects(waiting, /enough/);
