import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "./gen/google/rpc/error_details_pb.js";
import type { Status } from "./gen/google/rpc/status_pb.js";

/** What a server says of a call that failed. */
export interface TaskgateError {
  /** gRPC's status code. */
  code: Code;
  /** For people. */
  message: string;
  /**
   * For programs, for example "TASK_NOT_FOUND"; empty if the error is not the server's but the
   * connection's.
   */
  reason: string;
  /** More about the reason, such as the id that was not found. */
  metadata: Record<string, string>;
  /** The fields that were wrong. */
  violations: Violation[];
  /** How long to wait before the call is worth repeating; undefined if nobody knows. */
  retryDelayMs: number | undefined;
}

/** A wrong field of a request. */
export interface Violation {
  /** Its path, for example "kwargs.seconds". */
  field: string;
  /** What is wrong with it. */
  description: string;
}

/** Reads the details of what a call threw. */
export function errorOf(thrown: unknown): TaskgateError {
  const error = ConnectError.from(thrown);
  const [info] = error.findDetails(ErrorInfoSchema);
  const [retry] = error.findDetails(RetryInfoSchema);
  const delay = retry?.retryDelay;
  return {
    code: error.code,
    message: error.rawMessage,
    reason: info?.reason ?? "",
    metadata: info?.metadata ?? {},
    violations: error.findDetails(BadRequestSchema).flatMap((detail) => detail.fieldViolations),
    retryDelayMs: delay && Number(delay.seconds) * 1_000 + delay.nanos / 1e6,
  };
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
