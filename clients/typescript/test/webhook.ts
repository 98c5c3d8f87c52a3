// A webhook that was signed as NOFX signs: secret, headers and body are in the environment.
import assert from 'node:assert/strict';
import { InvalidWebhook, verifyWebhook } from '../src/index.js';

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

// Whatever was sent, and whatever a caller without types passes on.
const invalid = (what: RegExp) => (error: unknown) => error instanceof InvalidWebhook && what.test(`${error.name}: ${error.message}`);
const verify = (...wrong: unknown[]) => (verifyWebhook as (...all: unknown[]) => Promise<unknown>)(...wrong, new Date(sent));
for (const name of Object.keys(headers).filter((one) => one.startsWith('webhook-'))) {
  for (const wrong of [null, 1, ['v1,AAAA'], {}, '\ud800', 'ü'.repeat(5000), '\0']) {
    await assert.rejects(verify(secret, { ...headers, [name]: wrong }, body), invalid(/./), `${name}: ${String(wrong)}`);
  }
}
for (const wrong of [undefined, null, 1, 'webhook-id', [], new Map()])
  await assert.rejects(verify(secret, wrong, body), invalid(/webhook-id/));
for (const wrong of [undefined, null, 1, ['whsec_AAAA'], 'whsec_ü', 'whsec_\ud800']) {
  await assert.rejects(verify(wrong, headers, body), invalid(/not one of a hook/));
}
for (const wrong of [undefined, null, 1, event, [body], new ArrayBuffer(8)])
  await assert.rejects(verify(secret, headers, wrong), invalid(/body/));
const raw = Buffer.from(secret.slice('whsec_'.length), 'base64');
const key = await crypto.subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
for (const wrong of ['', '{', '[]', '1', 'null', '['.repeat(100_000)]) {
  const signed = new TextEncoder().encode(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${wrong}`);
  const mac = Buffer.from(await crypto.subtle.sign('HMAC', key, signed)).toString('base64');
  await assert.rejects(verify(secret, { ...headers, 'webhook-signature': `v1,${mac}` }, wrong), invalid(/no event/), wrong.slice(0, 9));
}
