/** Aborts when nothing arrives for a while. Counts only while someone waits: a consumer that takes its time is no silence. */
export class Silence {
  readonly #limit = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly limitMs: number) {}

  /** Aborted after a silence, or with another signal. */
  signal(other?: AbortSignal): AbortSignal {
    return other ? AbortSignal.any([other, this.#limit.signal]) : this.#limit.signal;
  }

  begin(): void {
    this.end();
    this.#timer = setTimeout(() => this.#limit.abort(new Error(`nothing arrived for ${this.limitMs} ms`)), this.limitMs);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Passes bytes on; each chunk begins the time anew. */
  listen(): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
    return new TransformStream({
      transform: (chunk, next) => {
        if (this.#timer !== undefined) this.begin();
        next.enqueue(chunk);
      },
    });
  }
}
