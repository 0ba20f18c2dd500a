/**
 * Calls a taskgate server, which runs Python Celery tasks.
 *
 * A client is connect's generated one with what a program needs around it: each submission gets a
 * request id, so that one that is repeated makes no second task; each call has a deadline and is
 * repeated until then while the server is away; errors are typed; tasks are waited for and followed
 * across lost connections and restarts of the server.
 */
export {
  connect,
  DEFAULT_TIMEOUT_MS,
  type ConnectOptions,
  type TaskClient,
  type TlsFiles,
  type WithTask,
} from "./client.js";
export {
  errorOf,
  errorOfStatus,
  TaskAborted,
  TaskExpired,
  TaskFailed,
  TaskgateError,
  TaskUnsuccessful,
  type Violation,
} from "./errors.js";
export { isFinal, result, updates, waitUntilFinal, type WaitOptions } from "./following.js";
export { argumentsJson, argumentsOf, parseExact, resultOf } from "./json.js";
export { Reason } from "./gen/reasons.js";
export { TaskState, type Task } from "./gen/taskgate/v1/task_pb.js";
export { VERSION } from "./version.js";
