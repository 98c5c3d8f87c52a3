import { EventSourceParserStream } from 'eventsource-parser/stream';
import { delayMs, isTemporary, pause } from './backoff.js';
import type { Nofx, Schemas } from './connect.js';
import { Refused } from './refused.js';

export interface StreamOptions {
  /** Only events of this run, from its beginning unless `after` is given. */
  runId?: string;
  /** Only these types: `run.failed`, `gate.requested`, … */
  types?: string[];
  /** The `id` of an event: only those after it. Without `after` and `runId` only what happens from now on. */
  after?: string;
  /** Ends the stream: the iteration throws the signal's reason. */
  signal?: AbortSignal;
}

/**
 * Events in the order of the log, each at least once, without an end: when the connection ends or fails, it is made again and continues after
 * the last event. Store an event's `id` to continue in another process. Throws `Refused` when the API refuses the request itself.
 */
export async function* stream(nofx: Nofx, options: StreamOptions = {}): AsyncGenerator<Schemas['CloudEvent'], never> {
  const { runId, types, signal } = options;
  const query = new URLSearchParams({ ...(runId && { run_id: runId }), ...(types && { types: types.join(',') }) });
  let last = options.after;
  let failures = 0;
  for (;;) {
    let response: Response | undefined;
    let wait = 500;
    try {
      const headers = { accept: 'text/event-stream', ...(last && { 'last-event-id': last }) };
      response = await nofx.request(`/api/events/stream?${query}`, { headers, ...(signal && { signal }) });
      if (response.ok && response.body) {
        const text = response.body.pipeThrough(new TextDecoderStream() as TransformStream<BufferSource, string>);
        const messages = text.pipeThrough(new EventSourceParserStream({ onRetry: (ms) => (wait = ms) }));
        for await (const { id, data } of iterate(messages)) {
          failures = 0;
          if (id === undefined) continue;
          last = id;
          yield JSON.parse(data) as Schemas['CloudEvent'];
        }
        // Ended as it should: the server ends each stream after a while.
        failures = 0;
        await pause(wait, signal);
        continue;
      }
    } catch (error) {
      if (signal?.aborted) throw error;
      if (error instanceof SyntaxError) throw error;
    }
    if (response && !response.ok && !isTemporary(response.status)) throw await Refused.of(response);
    failures += 1;
    await pause(delayMs(failures, response?.ok ? undefined : response), signal);
  }
}

/** Not every browser's streams can be iterated. */
async function* iterate<T>(source: ReadableStream<T>): AsyncGenerator<T> {
  const reader = source.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // The consumer may stop before the end: the connection must not stay open.
    await reader.cancel().catch(() => undefined);
  }
}
