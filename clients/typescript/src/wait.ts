import type { Nofx, Schemas } from './connect.js';
import { Refused } from './refused.js';
import { stream } from './stream.js';

const ENDS = ['run.succeeded', 'run.failed', 'run.cancelled'];

/**
 * Waits until a run has finished, however long that takes, and returns it with its steps, gates and artifacts. A run that failed is returned
 * too: look at `status`. Throws `Refused` when the run does not exist, and the signal's reason when it is aborted.
 */
export async function wait(nofx: Nofx, runId: string, options: { signal?: AbortSignal } = {}): Promise<Schemas['Run']> {
  const ends = stream(nofx, { runId, types: ENDS, ...options });
  try {
    for (;;) {
      // A run that was retried has ended before: its status counts, not the event.
      const run = await get(nofx, runId, options);
      if (finished(run)) return run;
      await ends.next();
    }
  } finally {
    await ends.return(undefined as never);
  }
}

function finished(run: Schemas['Run']): boolean {
  return run.status === 'succeeded' || run.status === 'failed' || run.status === 'cancelled';
}

async function get(nofx: Nofx, id: string, options: { signal?: AbortSignal }): Promise<Schemas['Run']> {
  const { data, error, response } = await nofx.api.GET('/api/runs/{id}', { params: { path: { id } }, ...options });
  if (data === undefined) throw new Refused(response.status, error);
  return data;
}
