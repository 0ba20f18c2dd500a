import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "./gen/google/rpc/error_details_pb.js";
import type { Status } from "./gen/google/rpc/status_pb.js";
import { Reason } from "./gen/reasons.js";
import { TaskState, type Task } from "./gen/taskgate/v1/task_pb.js";

/** A wrong field of a request. */
export interface Violation {
  /** Its path, for example "kwargs.seconds". */
  field: string;
  /** What is wrong with it. */
  description: string;
}

/** Why a call failed. Its message is for people, its `reason` for programs. */
export class TaskgateError extends Error {
  override readonly name = "TaskgateError";
  /** gRPC's status code. */
  readonly code: Code;
  /**
   * One of `Reason`, or one of a newer server; empty if the error is not the server's but the
   * connection's.
   */
  readonly reason: Reason | (string & {});
  /** More about the reason, such as the id that was not found. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The fields that were wrong. */
  readonly violations: readonly Violation[];
  /** How long to wait before the call is worth repeating; undefined if nobody knows. */
  readonly retryDelayMs: number | undefined;

  constructor(
    message: string,
    details: { code: Code } & Partial<
      Pick<TaskgateError, "reason" | "metadata" | "violations" | "retryDelayMs" | "cause">
    >,
  ) {
    super(message, { cause: details.cause });
    this.code = details.code;
    this.reason = details.reason ?? "";
    this.metadata = details.metadata ?? {};
    this.violations = details.violations ?? [];
    this.retryDelayMs = details.retryDelayMs;
  }
}

/** A task that has no result, and never will; `task` says why. */
export class TaskUnsuccessful extends Error {
  override readonly name: string = "TaskUnsuccessful";

  constructor(readonly task: Task) {
    const why = task.error ? `${task.error.type}: ${task.error.message}` : task.abort?.reason;
    const end = `task ${task.id} (${task.taskType}) is ${TaskState[task.state]}`;
    super(why ? `${end}: ${why}` : end);
  }
}

/** The task raised, or could not be run; `task.error` says more. */
export class TaskFailed extends TaskUnsuccessful {
  override readonly name = "TaskFailed";
}

/** The task was aborted. */
export class TaskAborted extends TaskUnsuccessful {
  override readonly name = "TaskAborted";
}

/** The task had not started when it expired. */
export class TaskExpired extends TaskUnsuccessful {
  override readonly name = "TaskExpired";
}

/** The error for a task that ended otherwise than SUCCEEDED. */
export function unsuccessful(task: Task): TaskUnsuccessful {
  switch (task.state) {
    case TaskState.FAILED:
      return new TaskFailed(task);
    case TaskState.ABORTED:
      return new TaskAborted(task);
    case TaskState.EXPIRED:
      return new TaskExpired(task);
    default:
      return new TaskUnsuccessful(task);
  }
}

/** What a call threw, as a TaskgateError. */
export function errorOf(thrown: unknown): TaskgateError {
  if (thrown instanceof TaskgateError) return thrown;
  const error = ConnectError.from(thrown);
  const [info] = error.findDetails(ErrorInfoSchema);
  const [retry] = error.findDetails(RetryInfoSchema);
  const delay = retry?.retryDelay;
  return new TaskgateError(error.rawMessage, {
    code: error.code,
    reason: info?.reason ?? "",
    metadata: info?.metadata ?? {},
    violations: error.findDetails(BadRequestSchema).flatMap((detail) => detail.fieldViolations),
    retryDelayMs: delay && Number(delay.seconds) * 1_000 + delay.nanos / 1e6,
    cause: error,
  });
}

/** Reads the error of an item of a batch. */
export function errorOfStatus(status: Status): TaskgateError {
  const error = new ConnectError(status.message, status.code as Code);
  error.details = status.details.map((detail) => ({
    type: detail.typeUrl.slice(detail.typeUrl.lastIndexOf("/") + 1),
    value: detail.value,
  }));
  return errorOf(error);
}

/**
 * Whether the same call may succeed later: nobody answers, the connection broke, or a server that
 * goes ended the call, which it says as UNAVAILABLE or, depending on the moment, as CANCELLED; or
 * as many calls as may be are under way.
 */
export function isAway(error: TaskgateError, signal?: AbortSignal): boolean {
  if (signal?.aborted) return false;
  if (error.reason === Reason.TOO_MANY_CALLS) return true;
  return error.code === Code.Unavailable || error.code === Code.Canceled || isBroken(error);
}

// Node's own errors of sockets and HTTP/2, which connect gives one of several codes. A certificate
// that is not trusted has none of these names.
function isBroken(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code } = at as { code?: unknown };
    if (typeof code === "string" && /^(E[A-Z]+|ERR_(HTTP2|STREAM)_\w+)$/.test(code)) return true;
  }
  return false;
}
