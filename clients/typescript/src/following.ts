import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { TaskClient } from "./client.js";
import { TaskState, type Task } from "./gen/taskgate/v1/task_pb.js";
import { WatchedTaskSchema } from "./gen/taskgate/v1/task_service_pb.js";
import { Backoff, isUnavailable } from "./repeating.js";

// The server answers after this time at the latest; then it is asked again.
const LONG_POLL_MS = 30_000;

const FINAL: ReadonlySet<TaskState> = new Set([
  TaskState.SUCCEEDED,
  TaskState.FAILED,
  TaskState.ABORTED,
  TaskState.EXPIRED,
]);

/** Until when to wait. */
export interface WaitOptions {
  /** For example `AbortSignal.timeout(60_000)`. Its abort leaves the task alone. */
  signal?: AbortSignal;
}

/** Whether a task in this state has ended. Nothing leaves a final state. */
export function isFinal(state: TaskState): boolean {
  return FINAL.has(state);
}

/**
 * Returns a task when it is final. It outlives lost connections and restarts of the server, and
 * rejects with the signal's reason.
 */
export async function waitUntilFinal(
  client: TaskClient,
  id: string,
  { signal }: WaitOptions = {},
): Promise<Task> {
  const wait = durationFromMs(LONG_POLL_MS);
  const backoff = new Backoff();
  for (;;) {
    try {
      const { task } = await client.get({ id, wait }, signal ? { signal } : {});
      if (task && isFinal(task.state)) return task;
      backoff.reset();
    } catch (error) {
      await pauseAfter(error, backoff, signal);
    }
  }
}

/**
 * Yields tasks as they change: first each one as it is, then each newer version, until all are
 * final. It outlives lost connections and restarts of the server and misses nothing but versions
 * that were overtaken by newer ones. It throws the signal's reason.
 */
export async function* updates(
  client: TaskClient,
  ids: readonly string[],
  { signal }: WaitOptions = {},
): AsyncGenerator<Task, void, undefined> {
  const watched = new Map([...new Set(ids)].map((id) => [id, create(WatchedTaskSchema, { id })]));
  const backoff = new Backoff();
  for (;;) {
    const leaving = new AbortController(); // connect does not end a stream that its reader leaves
    const stream = client.watch(
      { tasks: [...watched.values()] },
      { signal: AbortSignal.any(signal ? [signal, leaving.signal] : [leaving.signal]) },
    );
    try {
      for await (const { task } of stream) {
        if (!task) continue;
        backoff.reset();
        watched.set(task.id, create(WatchedTaskSchema, { id: task.id, seenVersion: task.version }));
        yield task;
      }
      return;
    } catch (error) {
      await pauseAfter(error, backoff, signal);
    } finally {
      leaving.abort();
    }
  }
}

async function pauseAfter(error: unknown, backoff: Backoff, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  if (!isUnavailable(error)) throw error;
  await backoff.wait(signal);
}
