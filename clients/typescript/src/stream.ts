import { EventSourceParserStream } from 'eventsource-parser/stream';
import { delayMs, isTemporary, pause } from './backoff.js';
import type { Nofx, Schemas } from './connect.js';
import { Refused } from './refused.js';
import { Silence } from './silence.js';

/** The server sends a comment every 15 seconds: a connection that is silent for longer is dead. */
const SILENCE_MS = 45_000;

export interface StreamOptions {
  /** Only events of this run, from its beginning unless `after` is given. */
  runId?: string;
  /** Only these types: `run.failed`, `gate.requested`, … */
  types?: string[];
  /** The `id` of an event: only those after it. Without `after` and `runId` only what happens from now on. */
  after?: string;
  /** Ends the stream: the iteration throws the signal's reason. */
  signal?: AbortSignal;
  /** After how many milliseconds without a byte a connection is taken for dead and made again; default: 45,000. The API sends some every 15,000. */
  silenceMs?: number;
}

/** What responds is not the API but, say, a login page: another attempt would bring the same. */
export class InvalidStream extends Error {
  constructor(response: Response) {
    const type = response.headers.get('content-type') ?? 'no content type';
    super(`${response.url} responds with ${type} instead of an event stream; check the URL of the API`);
    this.name = 'InvalidStream';
  }
}

/**
 * Events in the order of the log, each at least once, without an end: when the connection ends, fails or falls silent, it is made again and
 * continues after the last event. Store an event's `id` to continue in another process. Throws `Refused` when the API refuses the request
 * itself, and `InvalidStream` when what responds is no event stream.
 */
export async function* stream(nofx: Nofx, options: StreamOptions = {}): AsyncGenerator<Schemas['CloudEvent'], never> {
  const { runId, types, signal, silenceMs = SILENCE_MS } = options;
  const query = new URLSearchParams({ ...(runId && { run_id: runId }), ...(types && { types: types.join(',') }) });
  let last = options.after;
  let failures = 0;
  for (;;) {
    const silence = new Silence(silenceMs);
    let busy: Response | undefined;
    let wait = 500;
    try {
      silence.begin();
      const headers = { accept: 'text/event-stream', ...(last && { 'last-event-id': last }) };
      const response = await nofx.request(`/api/events/stream?${query}`, { headers, signal: silence.signal(signal) });
      if (response.ok) {
        if (!response.body || !isEventStream(response)) throw new InvalidStream(response);
        const text = response.body.pipeThrough(silence.listen()).pipeThrough(new TextDecoderStream());
        const messages = text.pipeThrough(new EventSourceParserStream({ onRetry: (ms) => (wait = ms) }));
        for await (const { id, data } of iterate(messages, silence)) {
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
      if (!isTemporary(response.status)) throw await Refused.of(response);
      busy = response;
    } catch (error) {
      if (signal?.aborted) throw error;
      if (error instanceof Refused || error instanceof InvalidStream || error instanceof SyntaxError) throw error;
    } finally {
      silence.end();
    }
    failures += 1;
    await pause(delayMs(failures, busy), signal);
  }
}

function isEventStream(response: Response): boolean {
  const [type] = (response.headers.get('content-type') ?? '').split(';', 1);
  return type?.trim().toLowerCase() === 'text/event-stream';
}

/** Not every browser's streams can be iterated. */
async function* iterate<T>(source: ReadableStream<T>, silence: Silence): AsyncGenerator<T> {
  const reader = source.getReader();
  try {
    for (;;) {
      silence.begin();
      const { done, value } = await reader.read();
      silence.end();
      if (done) return;
      yield value;
    }
  } finally {
    // The consumer may stop before the end: the connection must not stay open.
    await reader.cancel().catch(() => undefined);
  }
}
