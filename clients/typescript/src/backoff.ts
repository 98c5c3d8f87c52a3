const FIRST_MS = 500;
const MOST_MS = 30_000;

/** Whether the same request may succeed a moment later. */
export function isTemporary(status: number): boolean {
  return status === 429 || status >= 500;
}

/** How long to wait before attempt `failures` + 1: twice as long each time, spread out so that clients do not come back together. */
export function delayMs(failures: number, response?: Response): number {
  const asked = Number(response?.headers.get('retry-after') ?? Number.NaN);
  if (asked >= 0) return Math.min(asked, 3600) * 1000;
  return Math.min(MOST_MS, FIRST_MS * 2 ** (failures - 1)) * (0.5 + Math.random() / 2);
}

/** Waits, or throws when the signal is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
