// A webhook that was signed as NOFX signs: secret, headers and body are in the environment.
import assert from 'node:assert/strict';
import { verifyWebhook } from '../src/index.js';

interface Signed {
  secret: string;
  headers: Record<string, string>;
  body: string;
}
const { secret, headers, body } = JSON.parse(process.env['WEBHOOK'] ?? '') as Signed;

const sent = Number(headers['webhook-timestamp']) * 1000;
const event = await verifyWebhook(secret, headers, body, new Date(sent + 299_000));
assert.equal(event.type, 'run.failed');
assert.deepEqual(await verifyWebhook(secret, new Headers(headers), new TextEncoder().encode(body), new Date(sent - 299_000)), event);

const refused = (what: RegExp, wrong: Partial<Signed>, now = new Date(sent)) => {
  const all = { secret, headers, body, ...wrong };
  return assert.rejects(verifyWebhook(all.secret, all.headers, all.body, now), what);
};
const signature = headers['webhook-signature'] ?? '';
await refused(/does not fit/, { body: `${body} ` });
await refused(/does not fit/, { secret: 'whsec_AAAA' });
await refused(/does not fit/, { headers: { ...headers, 'webhook-id': 'another' } });
for (const wrong of ['', 'v1,', 'v1', 'v1,%%%', 'v2,' + signature.slice(3), signature.slice(0, -4), 'v1,AAAA']) {
  await refused(/does not fit/, { headers: { ...headers, 'webhook-signature': wrong } });
}
await refused(/no header webhook-signature/, { headers: { ...headers, 'webhook-signature': undefined as unknown as string } });
await refused(/five minutes/, {}, new Date(sent + 301_000));
await refused(/five minutes/, {}, new Date(sent - 301_000));
await assert.rejects(verifyWebhook(secret, headers, body), /five minutes/, 'the clock counts, which is years on');
for (const timestamp of ['', 'NaN', '-1', '1e9', '9'.repeat(400)]) {
  await refused(/five minutes/, { headers: { ...headers, 'webhook-timestamp': timestamp } });
}
for (const wrong of ['', 'whsec_', 'whsec_%']) await refused(/not one of a hook/, { secret: wrong });
// The old secret and the new one sign while one replaces the other.
await verifyWebhook(secret, { ...headers, 'webhook-signature': `v1,AAAA ${signature}` }, body, new Date(sent));
