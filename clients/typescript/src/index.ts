/**
 * Calls a taskgate server, which runs Python Celery tasks.
 *
 * A client is connect's generated one and a few conveniences: each submission gets a request id, so
 * that one that is repeated makes no second task; calls that found the server unavailable are
 * repeated; tasks are waited for and followed across lost connections.
 */
export { connect, type ConnectOptions, type TaskClient, type TlsFiles } from "./client.js";
export { errorOf, errorOfStatus, type TaskgateError, type Violation } from "./errors.js";
export { isFinal, updates, waitUntilFinal, type WaitOptions } from "./following.js";
export { argumentsJson, argumentsOf, parseExact, resultOf } from "./json.js";
export { Reason } from "./gen/reasons.js";
export { TaskState, type Task } from "./gen/taskgate/v1/task_pb.js";
