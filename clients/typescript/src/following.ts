import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { Pause } from "./calls.js";
import type { TaskClient } from "./client.js";
import { errorOf, isAway, unsuccessful, type TaskgateError } from "./errors.js";
import { TaskState, type Task } from "./gen/taskgate/v1/task_pb.js";
import { resultOf } from "./json.js";

// The server answers after this time at the latest; then it is asked again. A proxy might not wait
// much longer.
const LONG_POLL_MS = 20_000;
const POLL_TIMEOUT_MS = LONG_POLL_MS + 15_000;

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
 * What a task returned, once it has; integers beyond 2^53 are bigints.
 *
 * @throws TaskFailed, TaskAborted, TaskExpired: it has no result, and never will
 * @throws TaskgateError: the call was refused
 * @throws the signal's reason
 */
export async function result<T = unknown>(
  client: TaskClient,
  id: string,
  options: WaitOptions = {},
): Promise<T> {
  const task = await waitUntilFinal(client, id, options);
  if (task.state !== TaskState.SUCCEEDED) throw unsuccessful(task);
  return resultOf(task) as T;
}

/**
 * Returns a task when it is final, whatever became of it. It outlives lost connections and restarts
 * of the server, and rejects with the signal's reason.
 */
export async function waitUntilFinal(
  client: TaskClient,
  id: string,
  { signal }: WaitOptions = {},
): Promise<Task> {
  const request = { id, wait: durationFromMs(LONG_POLL_MS) };
  const options = { timeoutMs: POLL_TIMEOUT_MS, ...(signal && { signal }) };
  for (;;) {
    try {
      const { task } = await client.get(request, options);
      if (isFinal(task.state)) return task;
    } catch (thrown) {
      signal?.throwIfAborted();
      const error = errorOf(thrown);
      // The call repeated itself until its time was over.
      if (error.code !== Code.DeadlineExceeded && !isAway(error, signal)) throw thrown;
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
  const seen = new Map<string, Task>();
  const pause = new Pause();
  do {
    let error: TaskgateError;
    try {
      const tasks = unfinished(ids, seen);
      for await (const { task } of client.watch({ tasks }, signal && { signal })) {
        pause.reset();
        if (task.version <= (seen.get(task.id)?.version ?? 0n)) continue;
        seen.set(task.id, task);
        yield task;
      }
      return;
    } catch (thrown) {
      signal?.throwIfAborted();
      error = errorOf(thrown);
      if (!isAway(error, signal)) throw thrown;
    }
    await pause.wait(error, signal);
    signal?.throwIfAborted();
  } while (unfinished(ids, seen).length > 0);
}

/** Those that have not ended, with what was seen of them. Ids are answered in lower case. */
function unfinished(ids: readonly string[], seen: ReadonlyMap<string, Task>) {
  return [...new Set(ids)]
    .map((id) => ({ id, task: seen.get(id) ?? seen.get(id.toLowerCase()) }))
    .filter(({ task }) => !task || !isFinal(task.state))
    .map(({ id, task }) => ({ id, seenVersion: task?.version ?? 0n }));
}
