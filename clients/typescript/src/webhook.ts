import type { Schemas } from './connect.js';

const TOLERANCE_S = 300;

/**
 * Verifies a webhook of a hook (Standard Webhooks) and returns its event. `body` is the body as it was received, byte for byte; `secret` is
 * what `POST /api/hooks` returned (`whsec_…`). Throws when the webhook is not from NOFX, was changed, or is older than five minutes. A
 * webhook may arrive more than once: `webhook-id` stays the same.
 */
export async function verifyWebhook(
  secret: string,
  headers: Headers | Record<string, string | string[] | undefined>,
  body: string | Uint8Array<ArrayBuffer>,
  now: Date = new Date(),
): Promise<Schemas['CloudEvent']> {
  const header = (name: string): string => {
    const value = headers instanceof Headers ? headers.get(name) : headers[name];
    if (typeof value !== 'string') throw new Error(`the webhook has no header ${name}`);
    return value;
  };
  const [id, timestamp, signatures] = [header('webhook-id'), header('webhook-timestamp'), header('webhook-signature')];
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now.getTime() / 1000 - Number(timestamp)) > TOLERANCE_S) {
    throw new Error('the webhook was not sent in the last five minutes; check the clock');
  }
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  const key = decode(secret.replace(/^whsec_/, ''));
  if (!key?.length) throw new Error('the secret is not one of a hook: whsec_ and base64');
  const hmac = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
  const signed = new Uint8Array(await new Blob([`${id}.${timestamp}.`, bytes]).arrayBuffer());
  // While a secret is rotated, both sign. `verify` takes the same time whatever the signature is.
  for (const one of signatures.split(' ')) {
    const signature = one.startsWith('v1,') ? decode(one.slice(3)) : undefined;
    if (signature && (await crypto.subtle.verify('HMAC', hmac, signature, signed))) {
      return JSON.parse(new TextDecoder().decode(bytes)) as Schemas['CloudEvent'];
    }
  }
  throw new Error('the signature of the webhook does not fit');
}

function decode(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
