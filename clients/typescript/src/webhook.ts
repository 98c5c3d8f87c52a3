import type { Schemas } from './connect.js';

const TOLERANCE_S = 300;

/** A webhook that is not from NOFX, was changed, or is too old. */
export class InvalidWebhook extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'InvalidWebhook';
  }
}

/**
 * Verifies a webhook of a hook (Standard Webhooks) and returns its event. `body` is the body as it was received, byte for byte; `secret` is
 * what `POST /api/hooks` returned (`whsec_…`). Throws `InvalidWebhook` when the webhook is not from NOFX, was changed, or is older
 * than five minutes, whatever was sent. A webhook may arrive more than once: `webhook-id` stays the same.
 */
export async function verifyWebhook(
  secret: string,
  headers: Headers | Record<string, string | string[] | undefined>,
  body: string | Uint8Array<ArrayBuffer>,
  now: Date = new Date(),
): Promise<Schemas['CloudEvent']> {
  const header = (name: string): string => {
    const value: unknown = headers instanceof Headers ? headers.get(name) : (headers as Partial<typeof headers> | null | undefined)?.[name];
    if (typeof value !== 'string') throw new InvalidWebhook(`the webhook has no header ${name}`);
    return value;
  };
  const [id, timestamp, signatures] = [header('webhook-id'), header('webhook-timestamp'), header('webhook-signature')];
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now.getTime() / 1000 - Number(timestamp)) > TOLERANCE_S) {
    throw new InvalidWebhook('the webhook was not sent in the last five minutes; check the clock');
  }
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  if (!ArrayBuffer.isView(bytes)) throw new InvalidWebhook('the body is neither text nor the bytes that were received');
  const key = typeof secret === 'string' ? decode(secret.replace(/^whsec_/, '')) : undefined;
  if (!key?.length) throw new InvalidWebhook('the secret is not one of a hook: whsec_ and base64');
  const hmac = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
  const signed = new Uint8Array(await new Blob([`${id}.${timestamp}.`, bytes]).arrayBuffer());
  // While a secret is rotated, both sign. `verify` takes the same time whatever the signature is.
  for (const one of signatures.split(' ')) {
    const signature = one.startsWith('v1,') ? decode(one.slice(3)) : undefined;
    if (signature && (await crypto.subtle.verify('HMAC', hmac, signature, signed))) {
      return event(bytes);
    }
  }
  throw new InvalidWebhook('the signature of the webhook does not fit');
}

function event(bytes: Uint8Array): Schemas['CloudEvent'] {
  let read: unknown;
  try {
    read = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    read = undefined;
  }
  if (typeof read !== 'object' || read === null || Array.isArray(read)) throw new InvalidWebhook('the body of the webhook is no event');
  return read as Schemas['CloudEvent'];
}

function decode(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
