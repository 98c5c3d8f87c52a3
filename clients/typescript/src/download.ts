import type { Nofx } from './connect.js';
import { Refused } from './refused.js';

/**
 * Downloads an artifact and verifies its SHA-256, so that what is returned is what the step saved. The whole content is held in memory.
 * Throws `Refused` when there is no such artifact, and an error when the bytes are not the artifact's.
 */
export async function download(nofx: Nofx, artifactId: string): Promise<Uint8Array<ArrayBuffer>> {
  const { data, error, response } = await nofx.api.GET('/api/artifacts/{id}', { params: { path: { id: artifactId } } });
  if (data === undefined) throw new Refused(response.status, error);
  // `fetch` follows the redirect to Storage without the credential, which is for the API.
  const content = await nofx.request(`/api/artifacts/${data.id}/content`);
  if (!content.ok) throw await Refused.of(content);
  const bytes = await content.arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  const hash = `sha256:${Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
  if (hash !== data.hash) throw new Error(`artifact ${data.id} has the digest ${data.hash}; what was downloaded has ${hash}`);
  return new Uint8Array(bytes);
}
