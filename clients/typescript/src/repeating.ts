import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";

const ATTEMPTS = 5;
const FIRST_BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 5_000;

/** Repeats a call that found the server unavailable, for a few seconds in all. */
export const repeatUnavailable: Interceptor = (next) => async (request) => {
  if (request.stream) return next(request);
  const backoff = new Backoff();
  for (let attempt = 1; ; attempt++) {
    try {
      return await next(request);
    } catch (error) {
      if (attempt === ATTEMPTS || !isUnavailable(error)) throw error;
      await backoff.wait(request.signal);
    }
  }
};

/** Spaces the attempts to reach a server that is away. */
export class Backoff {
  #next = 0;

  reset(): void {
    this.#next = 0;
  }

  /** Waits longer each time, somewhat at random; rejects with the signal's reason if it aborts. */
  async wait(signal?: AbortSignal): Promise<void> {
    this.#next = Math.min(Math.max(2 * this.#next, FIRST_BACKOFF_MS), MAX_BACKOFF_MS);
    const delay = (this.#next / 2) * (1 + Math.random());
    await sleep(delay, undefined, signal && { signal }).catch(() => signal?.throwIfAborted());
  }
}

export function isUnavailable(error: unknown): boolean {
  return ConnectError.from(error).code === Code.Unavailable;
}
