import { delayMs, isTemporary, pause } from './backoff.js';
import type { Nofx, Schemas } from './connect.js';
import { Refused } from './refused.js';

/** A plan, as JSON or as YAML text; or a prompt. */
export type Submission = Partial<Schemas['CreateRun']>;

const ATTEMPTS = 5;

/**
 * Submits a plan. When the connection fails or the API is unavailable for a moment, the request is sent again with the same
 * `Idempotency-Key`, so that one run is created. Throws `Refused` when the plan is not accepted.
 */
export async function submit(
  nofx: Nofx,
  submission: Submission,
  options: { idempotencyKey?: string; signal?: AbortSignal } = {},
): Promise<Schemas['SubmittedRun']> {
  const { idempotencyKey = crypto.randomUUID(), signal } = options;
  const init = {
    method: 'POST',
    body: JSON.stringify(submission),
    headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
    ...(signal && { signal }),
  };
  for (let attempt = 1; ; attempt += 1) {
    let response: Response | undefined;
    try {
      response = await nofx.request('/api/runs', init);
      if (response.ok) return (await response.json()) as Schemas['SubmittedRun'];
    } catch (error) {
      if (signal?.aborted || attempt === ATTEMPTS) throw error;
    }
    if (response) {
      const refused = await Refused.of(response);
      // The first request may still be under way although its connection is gone.
      const mayPass = isTemporary(refused.status) || refused.problem?.type === 'https://nofx.dev/problems/request-in-progress';
      if (attempt === ATTEMPTS || !mayPass) throw refused;
    }
    await pause(delayMs(attempt, response), signal);
  }
}
